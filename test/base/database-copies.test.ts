import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DatabaseFormat } from "../../src/base/database.ts";
import { backupDatabase, describeDatabase, restoreDatabase, upgradeDatabase } from "../../src/base/database-copies.ts";
import { openDatabaseFile, readNumber } from "../../src/base/database-file.ts";
import type { MeshError } from "../../src/base/errors.ts";
import { openDatabase } from "../../src/base/open-database.ts";
import { temporaryFolder } from "../config/store-support.ts";
import { format, laterFormat, procedures, type TestProcedures, worker } from "./database-fixture.ts";

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "done",
    (error: MeshError) => error.code,
  );

function make(file: string, words: readonly string[], of: DatabaseFormat = format): void {
  const db = openDatabaseFile({ file, format: of });
  for (const word of words) procedures.add(db, word);
  db.close();
}

function words(file: string, of: DatabaseFormat = format): readonly unknown[] {
  const db = openDatabaseFile({ file, format: of });
  const found = db.prepare("SELECT word FROM words ORDER BY rowid").all();
  db.close();
  return found.map(({ word }) => word);
}

test("a backup while writes go on is the state of one moment", async (context) => {
  const dir = temporaryFolder(context);
  const file = join(dir, "words.db");
  const { call, close } = await openDatabase<TestProcedures>({ file, worker });
  const text = "x".repeat(3_000);
  for (let n = 0; n < 300; n++) await call("add", `${n} ${text}`);
  let done = false;
  let written = 300;
  const writing = (async () => {
    while (!done) await call("add", `${written++} ${text}`);
  })();
  await backupDatabase(file, join(dir, "copy.db"), format);
  // What is in it, hashes of tokens for one, is its owner's.
  for (const path of [file, `${file}-wal`, join(dir, "copy.db")]) expect(statSync(path).mode & 0o777, path).toBe(0o600);
  done = true;
  await writing;
  const copied = words(join(dir, "copy.db"));
  expect(copied.length).toBeGreaterThanOrEqual(300);
  expect(copied.map((word) => Number.parseInt(String(word), 10))).toEqual(copied.map((_, n) => n));
  expect(await call("count", undefined)).toBe(written);
  await close();
  expect(readdirSync(dir).sort()).toEqual(["copy.db", "words.db"]);
});

test("a backup touches no other file, whatever its name", async (context) => {
  const dir = temporaryFolder(context);
  const [file, copy] = [join(dir, "words.db"), join(dir, "copy.db")];
  make(file, ["a"]);
  writeFileSync(`${copy}.part`, "theirs");
  await backupDatabase(file, copy, format);
  expect(words(copy)).toEqual(["a"]);
  expect(readFileSync(`${copy}.part`, "utf8")).toBe("theirs");
});

describe("a backup is refused", () => {
  test("over a file that is there, from nothing, from something else", async (context) => {
    const dir = temporaryFolder(context);
    const [file, taken] = [join(dir, "words.db"), join(dir, "taken.db")];
    make(file, ["a"]);
    writeFileSync(taken, "theirs");
    expect(await code(backupDatabase(file, taken, format))).toBe("usage/invalid");
    expect(readFileSync(taken, "utf8")).toBe("theirs");
    expect(await code(backupDatabase(join(dir, "none.db"), join(dir, "x.db"), format))).toBe("usage/invalid");
    expect(await code(backupDatabase(taken, join(dir, "x.db"), format))).toBe("store/corrupt");
    expect(await code(backupDatabase(file, join(dir, "no", "x.db"), format))).toBe("store/failed");
    expect(readdirSync(dir).sort()).toEqual(["taken.db", "words.db"]);
  });
});

describe("restoring", () => {
  const suffix = "replaced-now";

  test("puts the backup in place and keeps what it replaces", async (context) => {
    const dir = temporaryFolder(context);
    const [file, copy] = [join(dir, "words.db"), join(dir, "copy.db")];
    make(file, ["a"]);
    await backupDatabase(file, copy, format);
    const db = openDatabaseFile({ file, format });
    procedures.add(db, "b");
    db.close();
    const result = await restoreDatabase({
      from: copy,
      file,
      format,
      suffix,
      adjust: (fresh) => procedures.add(fresh, "z"),
    });
    expect(result).toEqual({ layout: 1, kept: `${file}.${suffix}` });
    expect(words(file)).toEqual(["a", "z"]);
    expect(words(`${file}.${suffix}`)).toEqual(["a", "b"]);
    expect(words(copy)).toEqual(["a"]);
  });

  test("works where nothing was, and where what was is damaged", async (context) => {
    const dir = temporaryFolder(context);
    const [file, copy] = [join(dir, "words.db"), join(dir, "copy.db")];
    make(copy, ["a"]);
    expect(await restoreDatabase({ from: copy, file, format, suffix })).toEqual({ layout: 1 });
    writeFileSync(file, "damaged");
    writeFileSync(`${file}-wal`, "its log");
    await restoreDatabase({ from: copy, file, format, suffix });
    expect(words(file)).toEqual(["a"]);
    expect(readFileSync(`${file}.${suffix}`, "utf8")).toBe("damaged");
    expect(existsSync(`${file}.${suffix}-wal`)).toBe(true);
  });

  test("refuses what is no backup of ours, and changes nothing then", async (context) => {
    const dir = temporaryFolder(context);
    const [file, copy] = [join(dir, "words.db"), join(dir, "copy.db")];
    make(file, ["a"]);
    make(copy, ["b"], laterFormat);
    writeFileSync(join(dir, "text"), "a text");
    writeFileSync(join(dir, "empty"), "");
    const from = (name: string) => code(restoreDatabase({ from: join(dir, name), file, format, suffix }));
    expect(await from("copy.db")).toBe("store/layout");
    expect(await from("text")).toBe("store/corrupt");
    expect(await from("empty")).toBe("store/corrupt");
    expect(await from("none")).toBe("usage/invalid");
    expect(words(file)).toEqual(["a"]);
    expect(existsSync(`${file}.${suffix}`)).toBe(false);
  });
});

describe("upgrading", () => {
  test("from each older layout, after a backup", async (context) => {
    const dir = temporaryFolder(context);
    for (const [from, older] of laterFormat.layout.entries()) {
      const file = join(dir, `${older.name}.db`);
      make(file, from === 0 ? [] : ["a"], { ...laterFormat, layout: laterFormat.layout.slice(0, from) });
      const backup = `${file}.before`;
      expect(await upgradeDatabase(file, laterFormat, "before")).toEqual({ from, to: 2, backup });
      expect(words(file, laterFormat)).toEqual(from === 0 ? [] : ["a"]);
      expect(describeDatabase(backup, laterFormat).layout).toEqual({ found: from, ours: 2 });
      expect(await upgradeDatabase(file, laterFormat, "again")).toEqual({ from: 2, to: 2 });
    }
  });

  test("a step that fails leaves the file as it was; a newer file is left alone", async (context) => {
    const file = join(temporaryFolder(context), "words.db");
    make(file, ["a"]);
    const failing = { ...laterFormat, layout: [...laterFormat.layout, { name: "bad", sql: "DROP TABLE nothing" }] };
    expect(await code(upgradeDatabase(file, failing, "before"))).toBe("store/failed");
    expect(words(file)).toEqual(["a"]);
    expect(await code(upgradeDatabase(file, { ...format, layout: [] }, "x"))).toBe("store/layout");
  });
});

test("a description counts rows and bytes, while a server writes too", async (context) => {
  const file = join(temporaryFolder(context), "words.db");
  const db = openDatabaseFile({ file, format });
  procedures.add(db, "a");
  expect(describeDatabase(file, format)).toMatchObject({ file, layout: { found: 1, ours: 1 }, rows: { words: 1 } });
  expect(describeDatabase(file, format).sizeBytes).toBeGreaterThan(4_096);
  procedures.add(db, "b");
  expect(readNumber(db, "SELECT count(*) FROM words")).toBe(2);
  db.close();
});
