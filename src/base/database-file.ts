import { accessSync, chmodSync, constants } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { DatabaseFormat, LayoutStep } from "./database.ts";
import { MeshError } from "./errors.ts";
import { damaged, databaseError } from "./sqlite-error.ts";

export interface DatabaseFileOptions {
  /** `:memory:` for one that is gone when it is closed. */
  readonly file: string;
  readonly format: DatabaseFormat;
  /** Bounds the file's size, in pages of 4 KiB; writes beyond it fail as if the disk were full. Default: no bound. */
  readonly maxPages?: number;
}

/** Another program that looks at the file, a backup for example, is waited for this long. */
const busyMs = 5_000;
/** The log that is kept beside the file for later use. */
const keptLogBytes = 64 * 1024 * 1024;
const cacheKib = 16 * 1024;

/**
 * Opens a database for reading and writing; makes and lays it out when it is not there. Throws a `store/…` MeshError; a file
 * that it refuses stays untouched.
 */
export function openDatabaseFile({ file, format, maxPages }: DatabaseFileOptions): DatabaseSync {
  return usingFile(file, (db) => {
    const state = readLayout(db, file, format);
    if (state.kind === "other") throw layoutError(file, state.number, format.layout.length);
    // Its log takes over who may read it.
    if (state.kind === "fresh" && file !== ":memory:") chmodSync(file, 0o600);
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${cacheKib};
      PRAGMA journal_size_limit = ${keptLogBytes};
      PRAGMA trusted_schema = OFF;
      ${maxPages === undefined ? "" : `PRAGMA max_page_count = ${maxPages};`}
    `);
    if (state.kind === "fresh") {
      layOut(db, format, format.layout);
    } else {
      // SQLite opens what it may not write all the same; better told now than at the first change.
      if (file !== ":memory:") accessSync(file, constants.W_OK);
      checkPages(db, file, "quick_check");
    }
  });
}

/** Opens a file, with errors that name it; closes it again when `use` throws. */
export function usingFile(file: string, use: (db: DatabaseSync) => void, readOnly = false): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true, readOnly });
    use(db);
    return db;
  } catch (cause) {
    db?.close();
    throw databaseError(cause, file);
  }
}

export type LayoutState =
  /** Nothing was ever written. */
  | { readonly kind: "fresh" }
  /** As this program lays files out. */
  | { readonly kind: "current" }
  /** As an earlier version or a later one did. */
  | { readonly kind: "other"; readonly number: number };

/** Throws `store/corrupt` for what is no file of this format. */
export function readLayout(db: DatabaseSync, file: string, { applicationId, layout }: DatabaseFormat): LayoutState {
  const id = readNumber(db, "PRAGMA application_id");
  const number = readNumber(db, "PRAGMA user_version");
  const things = readNumber(db, "SELECT count(*) FROM sqlite_schema");
  if (id === 0 && number === 0 && things === 0) return { kind: "fresh" };
  if (id !== applicationId) throw damaged(file, "it is a database of another program");
  return number === layout.length ? { kind: "current" } : { kind: "other", number };
}

export function readNumber(db: DatabaseSync, sql: string): number {
  const [value] = Object.values(db.prepare(sql).get() ?? {});
  return typeof value === "number" ? value : 0;
}

/** Takes all steps, and writes down that it did, in one transaction. */
export function layOut(db: DatabaseSync, format: DatabaseFormat, steps: readonly LayoutStep[]): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    for (const { sql } of steps) db.exec(sql);
    db.exec(`PRAGMA application_id = ${format.applicationId}; PRAGMA user_version = ${format.layout.length};`);
    db.exec("COMMIT");
  } catch (cause) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw cause;
  }
}

/** Throws `store/corrupt` with the first thing that is wrong. `quick_check` leaves out whether indexes fit their tables. */
export function checkPages(db: DatabaseSync, file: string, check: "quick_check" | "integrity_check"): void {
  const [found] = Object.values(db.prepare(`PRAGMA ${check}(1)`).get() ?? {});
  if (found !== "ok") throw damaged(file, String(found));
}

export function layoutError(file: string, found: number, ours: number): MeshError {
  return found > ours
    ? new MeshError(
        "store/layout",
        `${file} was written by a newer Fairway (its layout is ${found}, this one knows ${ours})`,
        { hint: "Run that version of Fairway, or restore a backup that this one wrote with `fairway store restore`." },
      )
    : new MeshError(
        "store/layout",
        `${file} was written by an older Fairway (its layout is ${found}, this one needs ${ours})`,
        { hint: "Run `fairway store upgrade`, which first writes a backup beside it." },
      );
}
