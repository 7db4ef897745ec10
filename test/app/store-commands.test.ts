import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { commands } from "../../src/app/commands.ts";
import { claimDataFolder } from "../../src/app/data-folder.ts";
import { runCli } from "../../src/cli/cli.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fairway-data-"));
  onTestFinished(() => rm(dir, { recursive: true }));
});

async function fairway(line: string) {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    env: {},
    now: () => Date.parse("2026-11-22T12:00:00Z"),
    signal: new AbortController().signal,
  };
  const exit = await runCli(line.split(" "), io, { commands, version: "1" });
  return { exit, out, err };
}

test("tokens of a data directory, without a server", async () => {
  const data = join(dir, "data");
  const created = await fairway(`token create ci --role editor --expires 30d --data ${data}`);
  expect([created.exit, created.err]).toEqual([
    0,
    `fairway: there was no store in ${data}; a new one is made for the token\n`,
  ]);
  expect(created.out).toMatch(/^fw_\w+\n$/);
  const again = await fairway(`token create ci --role editor --data ${data}`);
  expect([again.exit, again.out]).toEqual([1, ""]);
  const { items } = JSON.parse((await fairway(`token list -o json --data ${data}`)).out);
  expect(items).toMatchObject([{ name: "ci", role: "editor", createdBy: expect.stringMatching(/, offline$/) }]);
  expect(JSON.stringify(items)).not.toContain(created.out.trim());
  expect((await fairway(`token revoke ci --data ${data}`)).out).toBe("token ci revoked\n");
  expect((await fairway(`token revoke ci --data ${data}`)).exit).toBe(1);
  expect((await fairway(`token create Not_a_name --role viewer --data ${data}`)).exit).toBe(2);
});

test.each(["list", "revoke ci"])("token %s makes no store", async (words) => {
  const data = join(dir, "data");
  expect(await fairway(`token ${words} --data ${data}`)).toEqual({
    exit: 2,
    out: "",
    err: `fairway: there is no file ${join(data, "fairway.db")}\n  Check the path.\n`,
  });
  expect(existsSync(data)).toBe(false);
});

test("backup, and back", async () => {
  const data = join(dir, "data");
  const file = join(dir, "monday.db");
  await fairway(`token create ci --role viewer --data ${data}`);
  expect((await fairway(`store backup ${file} --data ${data}`)).out).toBe(`${file} holds the store of ${data}\n`);
  expect((await fairway(`store backup ${file} --data ${data}`)).exit).toBe(2);
  await fairway(`token create anna --role viewer --data ${data}`);
  await fairway(`token revoke ci --data ${data}`);
  const restored = await fairway(`store restore ${file} --data ${data}`);
  expect([restored.exit, restored.err]).toEqual([0, ""]);
  const kept = /what was there before is (.+)\n/.exec(restored.out)?.[1] ?? "";
  expect(existsSync(kept)).toBe(true);
  // What was revoked stays so; what was made since is gone.
  expect(restored.out).toContain("tokens that stay revoked: ci\n");
  expect((await fairway(`token list --data ${data}`)).out).toContain("There are no tokens.");
  const info = await fairway(`store info -o json --data ${data}`);
  expect(JSON.parse(info.out)).toMatchObject({ revision: expect.any(Number), rows: { tokens: 1 } });
  expect((await fairway(`store info --data ${data}`)).out).toMatch(/^file +\S+fairway\.db\nsize +\d+ KiB\n/);
  expect((await fairway(`store upgrade --data ${data}`)).out).toMatch(/^nothing to do: the layout is \d+ already\n$/);
});

test("what is in use, or not there, is told", async () => {
  const data = join(dir, "data");
  await fairway(`token create ci --role viewer --data ${data}`);
  const folder = await claimDataFolder(data);
  onTestFinished(folder.release);
  expect((await fairway(`store upgrade --data ${data}`)).err).toContain(`uses ${data} already`);
  expect((await fairway(`store info --data ${join(dir, "nowhere")}`)).exit).toBe(2);
});
