import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openDatabaseFile } from "../../src/base/database-file.ts";
import { takeLock } from "../../src/base/database-lock.ts";
import type { MeshError } from "../../src/base/errors.ts";
import { type OpenDatabaseOptions, openDatabase } from "../../src/base/open-database.ts";
import { runCalls } from "../../src/base/run-calls.ts";
import { temporaryFolder } from "../config/store-support.ts";
import { realPart } from "../support/real-part.ts";
import { format, laterFormat, procedures, type TestProcedures, worker } from "./database-fixture.ts";

const open = (options: Partial<OpenDatabaseOptions> = {}) =>
  openDatabase<TestProcedures>({ file: ":memory:", worker, ...options });

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: MeshError) => error.code,
  );

test("each call is a transaction of its own, also when several are committed together", async () => {
  const { call, close } = await open();
  const outcomes = await Promise.allSettled([
    call("add", "a"),
    call("addThenFail", "b"),
    call("add", "a"),
    call("add", "c"),
  ]);
  expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.code))).toEqual([
    1,
    "input/invalid",
    "store/failed",
    2,
  ]);
  await expect(call("addThenFail", "d")).rejects.toMatchObject({ message: "no d", hint: "Take another." });
  expect(await call("sync", undefined)).toBe(2);
  await close();
  expect(await code(call("add", "late"))).toBe("store/failed");
});

test("what was called before the end is done before it", async (context) => {
  const file = join(temporaryFolder(context), "words.db");
  const first = await open({ file });
  const calls = Array.from({ length: 100 }, (_, n) => first.call("add", `w${n}`));
  await Promise.all([first.close(), ...calls]);
  const second = await open({ file });
  expect(await second.call("count", undefined)).toBe(100);
  await second.close();
});

test("beyond the bound a call is refused at once", async () => {
  const { call, close } = await open({ maxWaiting: 3 });
  const codes = await Promise.all(["a", "b", "c", "d"].map((word) => code(call("add", word))));
  expect(codes).toEqual(["done", "done", "done", "store/busy"]);
  expect(await code(call("add", "e"))).toBe("done");
  await close();
});

test("a thread that dies takes its calls with it, and its owner hears of it", async () => {
  const lost: string[] = [];
  const { call, close } = await open({ onLost: ({ message }) => lost.push(message) });
  const codes = await Promise.all([code(call("crash", undefined)), code(call("add", "a"))]);
  expect(codes).toEqual(["store/failed", "store/failed"]);
  expect(lost).toEqual(["the thread that works on :memory: has ended"]);
  expect(await code(call("add", "b"))).toBe("store/failed");
  await close();
});

test("an input that is no plain data is refused, and the next call goes on", async () => {
  const { call, close } = await open();
  const codes = await Promise.all([code(call("add", (() => {}) as unknown as string)), code(call("add", "a"))]);
  expect(codes).toEqual(["internal/failed", "done"]);
  await close();
});

test("one that does not fit fails by itself, not with those it came with", (context) => {
  const file = join(temporaryFolder(context), "words.db");
  const db = openDatabaseFile({ file, format, maxPages: 20 });
  const calls = ["a", "b".repeat(200_000), "c"].map((input) => ({ name: "add", input }));
  const answers = runCalls({ db, procedures, file }, calls);
  expect(answers.map((answer) => (answer.ok ? answer.output : answer.error.code))).toEqual([1, "store/full", 2]);
  db.close();
});

test("a file of ours is opened again, in write-ahead mode", (context) => {
  const file = join(temporaryFolder(context), "words.db");
  openDatabaseFile({ file, format }).close();
  const db = openDatabaseFile({ file, format });
  expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(db.prepare("PRAGMA application_id").get()).toEqual({ application_id: 42 });
  db.close();
});

test.each<readonly [string, (file: string) => void, string, RegExp]>([
  [
    "no database",
    (file) => writeFileSync(file, "a text that is long enough to be looked at ".repeat(50)),
    "store/corrupt",
    /damaged, or no database/,
  ],
  [
    "another program's",
    (file) => {
      const db = new DatabaseSync(file);
      db.exec("CREATE TABLE theirs (a)");
      db.close();
    },
    "store/corrupt",
    /database of another program/,
  ],
  [
    "an older layout",
    (file) => openDatabaseFile({ file, format: { ...format, layout: [] } }).close(),
    "store/layout",
    /older Fairway \(its layout is 0, this one needs 1\)/,
  ],
  [
    "a newer layout",
    (file) => openDatabaseFile({ file, format: laterFormat }).close(),
    "store/layout",
    /newer Fairway \(its layout is 2, this one knows 1\)/,
  ],
  [
    "damaged pages",
    (file) => {
      const db = openDatabaseFile({ file, format });
      for (let n = 0; n < 2_000; n++) procedures.add(db, `word ${n}`);
      db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      db.close();
      const bytes = readFileSync(file);
      bytes.fill(0xa5, 4_096 + 2_000, 4_096 * 4);
      writeFileSync(file, bytes);
    },
    "store/corrupt",
    /damaged/,
  ],
  ["a folder", (file) => mkdirSync(file), "store/failed", /cannot be opened/],
])("refused: %s", async (_what, make, wanted, message) => {
  const dir = mkdtempSync(join(tmpdir(), "fairway-database-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "words.db");
  make(file);
  const error = await open({ file }).then(
    () => undefined,
    (thrown: MeshError) => thrown,
  );
  expect(error).toMatchObject({ code: wanted, message: expect.stringMatching(message), hint: expect.any(String) });
  expect(error?.message).toContain(file);
});

test("a file in a folder that is not there", async () => {
  expect(await code(open({ file: "/nowhere/at/all/words.db" }))).toBe("store/failed");
});

test("a lock is had once, and again after it was given back", (context) => {
  const file = join(temporaryFolder(context), "lock");
  const release = takeLock(file);
  expect(release).toBeTypeOf("function");
  expect(takeLock(file)).toBeUndefined();
  release?.();
  takeLock(file)?.();
});

test("a disk that fills up and a file system that is read-only", async (context) => {
  await realPart(context, "a mount namespace (`unshare -rm`)", async () => {
    execFileSync("unshare", ["-rm", "true"], { stdio: "ignore" });
  });
  const dir = temporaryFolder(context);
  const script = fileURLToPath(new URL("./small-disk.ts", import.meta.url));
  const command = 'mount -t tmpfs -o size=1m tmpfs "$1" && exec "$2" "$3" "$1"';
  const printed = execFileSync("unshare", ["-rm", "sh", "-c", command, "sh", dir, process.execPath, script], {
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  const saw = JSON.parse(printed.toString());
  expect(saw.answered).toBeGreaterThan(5);
  expect(saw).toMatchObject({
    full: { code: "store/full", message: expect.stringContaining(join(dir, "words.db")) },
    together: ["store/full", "store/full", "store/full"],
    kept: saw.answered,
    after: saw.answered + 1,
    readOnly: { code: "store/read-only", message: expect.stringContaining(join(dir, "words.db")) },
    fresh: { code: "store/read-only" },
  });
});
