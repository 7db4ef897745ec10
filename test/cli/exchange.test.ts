import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { changeReason } from "../../src/api/change-headers.ts";
import { createApiServer } from "../../src/api/http.ts";
import { systemClock } from "../../src/base/clock.ts";
import { portsWithStore, ruleText, silent, version } from "../api/fixture.ts";
import { startApi } from "./api-server.ts";
import { type Answer, fairway, typed } from "./terminal.ts";

/** Command lines against the API itself; what one prints can be another's input. */
async function atServer(): Promise<(line: readonly string[] | string, input?: string) => Promise<Answer>> {
  const server = createApiServer({ ports: await portsWithStore(), log: silent, clock: systemClock, version });
  const port = await server.listen("127.0.0.1", 0);
  onTestFinished(() => server.close());
  const env = { FAIRWAY_SERVER: `127.0.0.1:${port}`, FAIRWAY_TOKEN: "editor", FAIRWAY_NAMESPACE: "shop" };
  return (line, input = "") => fairway(line, { env, input: typed(input) });
}

const silence = { exit: 0, out: "", err: "" };

test("what `get -o json` prints of one rule is the same to diff and apply", async () => {
  const run = await atServer();
  await run("apply -f -", `# mine\n${ruleText("a")}`);
  const { out: json } = await run("get vs a -o json");
  expect(await run("diff -f -", json)).toEqual(silence);
  const changed = await run("diff -f -", json.replace('"a"\n    ]', '"a.shop"\n    ]'));
  expect(changed.exit).toBe(1);
  expect(changed.out).not.toContain("uid");
  expect(changed.out).toContain("# all of it");
  expect((await run("apply -f - --dry-run", json)).exit).toBe(0);
});

test("a YAML text with what the server knows of a rule differs by what its author wrote", async () => {
  const run = await atServer();
  await run("apply -f -", ruleText("a"));
  const given = ruleText("a").replace("metadata:\n", "metadata:\n  uid: x\n  revision: 1\n");
  expect(await run("diff -f -", `${given}status: { verdict: valid }\n`)).toEqual(silence);
});

test("a list as `get -o json` prints it is read item by item", async () => {
  const run = await atServer();
  await run("apply -f -", `${ruleText("a")}---\n${ruleText("b")}`);
  const { out: list } = await run("get vs -o json");
  expect(JSON.parse(list).items).toHaveLength(2);
  expect(await run("diff -f -", list)).toEqual(silence);
  const deleted = await run("delete -f -", list);
  expect([deleted.exit, deleted.err]).toEqual([0, ""]);
  expect(deleted.out).toContain("2 rules: 2 deleted");
  expect((await run("apply -f -", list)).out).toContain("2 rules: 2 created");
});

test("problems in a list have the author's places", async () => {
  const run = await atServer();
  const items = [ruleText("a"), ruleText("b").replace("hosts:", "hots:")]
    .map((text) => text.trim().replaceAll("\n", "\n    ").replace(/^/, "  - "))
    .join("\n");
  const list = `apiVersion: v1\nkind: List\nitems:\n${items}\n`;
  const line = list.split("\n").findIndex((one) => one.includes("hots:"));
  const column = (list.split("\n")[line]?.indexOf("hots:") ?? 0) + 1;
  const { exit, err } = await run("apply -f -", list);
  expect(exit).toBe(1);
  expect(err).toContain(`stdin:${line + 1}:${column} `);
});

test("a list without items has no rules", async () => {
  const run = await atServer();
  const { exit, err } = await run("apply -f -", '{ "items": [] }');
  expect([exit, err.split("\n")[0]]).toEqual([2, "fairway: there are no rules in -"]);
});

test("a reason is in its author's language", async () => {
  const run = await atServer();
  const line = ["apply", "-f", "-", "--reason", "zurück, 元に戻す"];
  expect(await run(line, ruleText("a"))).toMatchObject({ exit: 0, err: "" });
  const api = await startApi({});
  await fairway([...line, "--server", api.address], { input: typed(ruleText("a")) });
  const header = changeReason({ header: (name) => api.seen[0]?.headers[name]?.toString() });
  expect(header).toEqual({ ok: true, value: "zurück, 元に戻す" });
});

test.each([
  ["apply", "-f", "-", "--reason", "two\nlines"],
  ["apply", "-f", "-", "--reason", "x".repeat(1_025)],
])("%s %s %s %s %j is wrong use", async (...line) => {
  const run = await atServer();
  expect((await run(line, ruleText("a"))).exit).toBe(2);
});

test.each(["diff", "apply"])("%s --prune with a selector that selects everything is wrong use", async (command) => {
  const dir = mkdtempSync(join(tmpdir(), "fairway-cli-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  writeFileSync(join(dir, "a.yaml"), ruleText("a"));
  const run = await atServer();
  for (const selector of ["", "  "]) {
    const { exit, err } = await run([command, "-f", dir, "--prune", "-l", selector]);
    expect([exit, err.split("\n")[0]]).toEqual([2, "fairway: --selector: an empty one selects every rule"]);
  }
});
