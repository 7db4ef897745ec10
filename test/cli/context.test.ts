import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { tokenFileOf } from "../../src/base/token-file.ts";
import { editContexts } from "../../src/cli/contexts-edit.ts";
import { page, startApi } from "./api-server.ts";
import { fairway } from "./terminal.ts";

/** A home of its own. */
function home(): { readonly env: Readonly<Record<string, string>>; readonly folder: string } {
  const dir = mkdtempSync(join(tmpdir(), "fairway-home-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return { env: { HOME: dir }, folder: join(dir, ".config", "fairway") };
}

function writePrivate(file: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  chmodSync(file, mode);
}

test("set, use, show, list, delete", async () => {
  const { env, folder } = home();
  const file = join(folder, "contexts.yaml");
  const run = (line: string) => fairway(line, { env });
  expect((await run("context list")).out).toBe("There are no contexts. `fairway context set` makes one.\n");
  expect(await run("context set prod --server https://fairway.example --token fw_x_secret -n shop")).toEqual({
    exit: 0,
    out: `context prod set in ${file}\n`,
    err: "",
  });
  await run("context set lab --server 127.0.0.1:15080");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const list = await run("context list");
  await expect(list.out).toMatchFileSnapshot("expected/contexts.txt");
  expect((await run("context list -o name")).out).toBe("prod\nlab\n");
  expect((await run("context use lab")).out).toBe("Commands go to 127.0.0.1:15080 now.\n");
  expect((await run("context show")).out).toMatch(/^context {4}lab\n/);
  const json = await run("context show prod -o json");
  expect(JSON.parse(json.out)).toEqual({
    name: "prod",
    server: "https://fairway.example",
    namespace: "shop",
    current: false,
  });
  expect((await run("context delete lab")).exit).toBe(0);
  expect(readFileSync(file, "utf8")).not.toContain("lab");
  expect((await run("context show")).exit).toBe(1);
  expect((await run("context use prot")).err).toBe('fairway: there is no context "prot"\n  Did you mean prod?\n');
});

test("set takes a token or a file with one, and says when the file is not there", async () => {
  const { env, folder } = home();
  const both = await fairway("context set p --server 127.0.0.1:1 --token abc --token-file F", { env });
  expect([both.exit, both.err.split("\n")[0]]).toEqual([2, "fairway: say --token or --token-file, not both"]);
  expect(existsSync(folder)).toBe(false);
  const file = join(folder, "none.token");
  expect(await fairway(`context set p --server 127.0.0.1:1 --token-file ${file}`, { env })).toMatchObject({
    exit: 0,
    err: `fairway: there is no file ${file} yet\n`,
  });
});

test("an edit keeps comments and order", () => {
  const text =
    "# mine\ncontexts:\n  - name: a # the lab\n    server: 127.0.0.1:1\n  # the real one\n  - server: https://b.example\n    name: b\n";
  expect(editContexts("f", text, { kind: "use", name: "b" })).toBe(`${text}current: b\n`);
  expect(editContexts("f", text, { kind: "set", context: { name: "a", namespace: "shop" } })).toBe(
    `${text.replace("127.0.0.1:1\n", "127.0.0.1:1\n    namespace: shop\n")}current: a\n`,
  );
});

test("problems of the file have their place, and stop every client command", async () => {
  const { env, folder } = home();
  writePrivate(
    join(folder, "contexts.yaml"),
    "contexts:\n  - name: a\n    sever: x\n  - name: a\n    server: ftp://x\n",
  );
  const { exit, err } = await fairway("services", { env });
  expect(exit).toBe(2);
  await expect(err.replaceAll(folder, "~")).toMatchFileSnapshot("expected/contexts-problems.txt");
});

test("a token that others can read is not used", async () => {
  const { env, folder } = home();
  writePrivate(join(folder, "contexts.yaml"), "contexts: [{ name: a, server: '127.0.0.1:1', token: x }]\n", 0o644);
  const { exit, err } = await fairway("services", { env });
  expect([exit, err.split("\n")[0]]).toEqual([
    2,
    `fairway: others can read ${join(folder, "contexts.yaml")}, and there is a token in it`,
  ]);
});

const whoami = () =>
  startApi({
    "GET /api/v1/whoami": () => ({ json: { name: "ci", role: "editor" } }),
    "GET /api/v1/services": () => page([]),
  });

test("who a request is by: flag, else environment, else context, else the token of a local server", async () => {
  const { env, folder } = home();
  const { address, flag, seen } = await whoami();
  const [host = "", port] = address.split(":");
  const sent = async (line: string, more: Readonly<Record<string, string>> = {}) => {
    expect((await fairway(line, { env: { ...env, ...more } })).exit).toBe(0);
    return seen.at(-1)?.headers.authorization;
  };
  expect(await sent(`whoami ${flag}`)).toBeUndefined();
  writePrivate(tokenFileOf(folder, host, Number(port)), "local\n");
  expect(await sent(`whoami ${flag}`)).toBe("Bearer local");
  await fairway(`context set here --server ${address} --token context -n shop`, { env });
  expect(await sent("whoami")).toBe("Bearer context");
  expect(await sent("whoami", { FAIRWAY_TOKEN: "environment" })).toBe("Bearer environment");
  expect(await sent("whoami --token flag", { FAIRWAY_TOKEN: "environment" })).toBe("Bearer flag");

  await fairway("services", { env });
  expect(seen.at(-1)?.query["namespace"]).toBe("shop");
  await fairway("services -A", { env });
  expect(seen.at(-1)?.query["namespace"]).toBeUndefined();
  await fairway("services", { env: { ...env, FAIRWAY_NAMESPACE: "bank" } });
  expect(seen.at(-1)?.query["namespace"]).toBe("bank");

  // Another server gets nothing of the context's.
  const other = await whoami();
  await fairway(`services ${other.flag}`, { env });
  expect([other.seen[0]?.headers.authorization, other.seen[0]?.query["namespace"]]).toEqual([undefined, undefined]);
});

test("a token file of a context, and one that others can read", async () => {
  const { env, folder } = home();
  const { address, seen } = await whoami();
  const tokenFile = join(folder, "prod.token");
  await fairway(`context set here --server ${address} --token-file ${tokenFile}`, { env });
  expect((await fairway("whoami", { env })).err).toContain("names a token file that is not there");
  writePrivate(tokenFile, "secret\n");
  expect(await fairway("whoami", { env })).toEqual({ exit: 0, out: `ci, editor, at http://${address}\n`, err: "" });
  expect(seen[0]?.headers.authorization).toBe("Bearer secret");
  chmodSync(tokenFile, 0o640);
  expect((await fairway("whoami", { env })).err).toContain("others can read");
  expect(existsSync(tokenFile)).toBe(true);
});

test("a token over plain HTTP to elsewhere is warned of", async () => {
  // Given up before anything is sent.
  const signal = AbortSignal.abort();
  const { err } = await fairway("whoami --server http://127.0.0.1.example --token x", { signal });
  expect(err.split("\n")[0]).toBe(
    "fairway: the token goes to http://127.0.0.1.example for all to read on the way; use https://",
  );
});
