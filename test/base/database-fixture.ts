import type { DatabaseSync } from "node:sqlite";
import type { DatabaseFormat, Procedures } from "../../src/base/database.ts";
import { readNumber } from "../../src/base/database-file.ts";
import { MeshError } from "../../src/base/errors.ts";

export const format: DatabaseFormat = {
  applicationId: 42,
  layout: [{ name: "words", sql: "CREATE TABLE words (word TEXT NOT NULL UNIQUE) STRICT" }],
};

/** One more step, as a later version would have it. */
export const laterFormat: DatabaseFormat = {
  ...format,
  layout: [...format.layout, { name: "length", sql: "ALTER TABLE words ADD COLUMN length INTEGER NOT NULL DEFAULT 0" }],
};

export const procedures = {
  add: (db: DatabaseSync, word: string): number => {
    db.prepare("INSERT INTO words (word) VALUES (?)").run(word);
    return readNumber(db, "SELECT count(*) FROM words");
  },
  addThenFail: (db: DatabaseSync, word: string): never => {
    procedures.add(db, word);
    throw new MeshError("input/invalid", `no ${word}`, { hint: "Take another." });
  },
  count: (db: DatabaseSync): number => readNumber(db, "SELECT count(*) FROM words"),
  sync: (db: DatabaseSync): number => readNumber(db, "PRAGMA synchronous"),
  crash: (): never => process.exit(3),
} satisfies Procedures;

export type TestProcedures = typeof procedures;

export const worker = new URL("./database-fixture-worker.ts", import.meta.url);
