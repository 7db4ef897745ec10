import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FirstTokenOptions, provideFirstToken } from "../../src/security/first-token.ts";
import { createTokens } from "../../src/security/tokens.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { recordedLog, tokenDatabase } from "./support.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fairway-first-"));
  mkdirSync(join(root, "data"), { mode: 0o700 });
});
afterEach(() => rmSync(root, { recursive: true }));

const loopback = { host: "127.0.0.1", port: 15080, loopback: true };

function house() {
  const { log, lines } = recordedLog();
  const tokens = createTokens({ call: tokenDatabase().call, clock: createFakeClock(), log });
  const start = (api: FirstTokenOptions["api"] = loopback) =>
    provideFirstToken({ tokens, dataFolder: join(root, "data"), configFolder: join(root, "config"), api, log });
  return { tokens, start, lines };
}

const kept = () => join(root, "data", "token");
const published = (name = "127.0.0.1_15080") => join(root, "config", "tokens", name);
const textOf = (path: string) => readFileSync(path, "utf8").trim();
const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

describe("the first start", () => {
  test("makes an admin token, keeps it and publishes it, for its owner alone", async () => {
    const { tokens, start, lines } = house();
    expect(await start()).toEqual({ file: kept(), published: published() });
    expect(await tokens.list()).toMatchObject([{ name: "first", role: "admin", createdBy: "fairway" }]);
    expect(await tokens.verify(textOf(kept()))).toMatchObject({ kind: "valid", token: { lastUsedAtMs: undefined } });
    expect(textOf(published())).toBe(textOf(kept()));
    expect([kept(), published()].map(modeOf)).toEqual(["600", "600"]);
    expect([join(root, "config"), join(root, "config", "tokens")].map(modeOf)).toEqual(["700", "700"]);
    expect(readdirSync(join(root, "data"))).toEqual(["token"]);
    expect(JSON.stringify(lines)).not.toContain(textOf(kept()).slice(14, 30));
  });

  test("makes none for an API that others can reach, and says what to do", async () => {
    const { tokens, start, lines } = house();
    expect(await start({ host: "0.0.0.0", port: 15080, loopback: false })).toBeUndefined();
    expect(await tokens.isEmpty()).toBe(true);
    expect(readdirSync(root)).toEqual(["data"]);
    expect(lines).toMatchObject([{ level: "warn", command: `fairway token create --data ${join(root, "data")}` }]);
  });

  test("does not write through a symbolic link", async () => {
    const { start } = house();
    writeFileSync(join(root, "victim"), "mine");
    symlinkSync(join(root, "victim"), kept());
    mkdirSync(join(root, "config", "tokens"), { recursive: true });
    symlinkSync(join(root, "victim"), published());
    await start();
    expect(textOf(join(root, "victim"))).toBe("mine");
    expect([kept(), published()].map((path) => lstatSync(path).isSymbolicLink())).toEqual([false, false]);
  });

  test("that cannot keep the token makes none, so that the next one can", async () => {
    const { tokens, start } = house();
    mkdirSync(kept());
    await expect(start()).rejects.toMatchObject({ code: "store/failed", hint: expect.stringContaining("--data") });
    expect(await tokens.isEmpty()).toBe(true);
    rmSync(kept(), { recursive: true });
    expect(await start()).toBeDefined();
  });

  test("of a server that keeps nothing publishes the token, and that is all", async () => {
    const { tokens } = house();
    const options = { tokens, configFolder: join(root, "config"), api: loopback, log: recordedLog().log };
    expect(await provideFirstToken(options)).toEqual({ published: published() });
    expect(await tokens.verify(textOf(published()))).toMatchObject({ kind: "valid", token: { role: "admin" } });
    expect(readdirSync(join(root, "data"))).toEqual([]);
  });

  test("that cannot publish goes on", async () => {
    const { start, lines } = house();
    writeFileSync(join(root, "config"), "a file");
    expect(await start()).toEqual({ file: kept() });
    expect(lines.at(-1)).toMatchObject({ level: "warn", msg: "cannot publish the token for the command line" });
  });
});

describe("a later start", () => {
  test("publishes the kept token again, wherever the API is now", async () => {
    const { tokens, start } = house();
    await start();
    const text = textOf(kept());
    rmSync(join(root, "config"), { recursive: true });
    expect(await start({ host: "::1", port: 4000, loopback: true })).toEqual({
      file: kept(),
      published: published("%3A%3A1_4000"),
    });
    expect(textOf(published("%3A%3A1_4000"))).toBe(text);
    expect(textOf(kept())).toBe(text);
    expect(await tokens.list()).toHaveLength(1);
  });

  test("publishes nothing for an API that others can reach", async () => {
    const { start } = house();
    await start();
    rmSync(join(root, "config"), { recursive: true });
    expect(await start({ host: "192.0.2.1", port: 15080, loopback: false })).toBeUndefined();
    expect(readdirSync(root)).toEqual(["data"]);
  });

  test("makes no other token where the first one is gone or revoked", async () => {
    const { tokens, start, lines } = house();
    await start();
    await tokens.revoke("first", "anna");
    rmSync(join(root, "config"), { recursive: true });
    expect(await start()).toBeUndefined();
    expect(lines.at(-1)).toMatchObject({ level: "warn", file: kept(), reason: "revoked" });
    rmSync(kept());
    expect(await start()).toBeUndefined();
    expect(await tokens.list()).toHaveLength(1);
    expect(readdirSync(root)).toEqual(["data"]);
  });

  test.each<[string, () => void]>([
    ["a symbolic link", () => symlinkSync(join(root, "elsewhere"), kept())],
    ["too large", () => writeFileSync(kept(), "x".repeat(2_000))],
    ["no token", () => writeFileSync(kept(), "hello")],
  ])("does not publish a file that is %s", async (_, put) => {
    const { start, lines } = house();
    await start();
    writeFileSync(join(root, "elsewhere"), textOf(kept()));
    rmSync(kept());
    rmSync(join(root, "config"), { recursive: true });
    put();
    expect(await start()).toBeUndefined();
    expect(lines.at(-1)).toMatchObject({ level: "warn", file: kept() });
    expect(readdirSync(root)).not.toContain("config");
  });
});
