import { randomUUID } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import type { DatabaseFormat } from "./database.ts";
import { checkPages, layOut, layoutError, readLayout, readNumber, usingFile } from "./database-file.ts";
import { MeshError } from "./errors.ts";
import { damaged, databaseError } from "./sqlite-error.ts";

/** What is known of a database from outside. */
export interface DatabaseInfo {
  readonly file: string;
  /** The file's layout number, and that of this program. */
  readonly layout: { readonly found: number; readonly ours: number };
  /** With what the log beside it holds. */
  readonly sizeBytes: number;
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Also for a file that a server works on, and for older and newer layouts. */
export function describeDatabase(file: string, format: DatabaseFormat): DatabaseInfo {
  return reading(file, (db) => {
    const found = layoutOf(db, file, format);
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    const rows = tables.map(({ name }) => [String(name), readNumber(db, `SELECT count(*) FROM "${name}"`)] as const);
    return {
      file,
      layout: { found, ours: format.layout.length },
      sizeBytes: sizeOf(file) + sizeOf(`${file}-wal`),
      rows: Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  });
}

/**
 * Copies a database, as it is at one moment, to a new file that stands alone; a server may go on writing meanwhile. The copy is
 * checked before it gets its name, and only its owner can read it. Throws `usage/invalid` when there is a file of that name.
 */
export async function backupDatabase(file: string, to: string, format: DatabaseFormat): Promise<void> {
  if (existsSync(to)) throw exists(to);
  // A name of its own, so that no file of the user's is lost.
  const part = `${to}.${randomUUID()}.part`;
  try {
    const source = openExisting(file);
    try {
      layoutOf(source, file, format);
      // One snapshot from the first page to the last: else every write of others would make it start anew.
      source.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
      await backup(source, part);
    } finally {
      source.close();
    }
    usingFile(part, (db) => {
      db.exec("PRAGMA journal_mode = DELETE");
      layoutOf(db, part, format);
      checkPages(db, part, "integrity_check");
    }).close();
    chmodSync(part, 0o600);
    syncFile(part);
    // Unlike a rename it never replaces a file that came meanwhile.
    linkSync(part, to);
    syncFile(dirname(to));
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === "EEXIST" ? exists(to) : databaseError(cause, to);
  } finally {
    rmSync(part, { force: true });
  }
}

export interface Replaced {
  /** Where the database is now that was there before; absent: there was none. */
  readonly kept?: string;
  /** The layout number of what was restored. */
  readonly layout: number;
}

export interface Restoring {
  readonly from: string;
  readonly file: string;
  readonly format: DatabaseFormat;
  /** Names what is replaced. */
  readonly suffix: string;
  /** Changes the copy, which may have an older layout, before it takes its place. */
  readonly adjust?: (copy: DatabaseSync) => void;
}

/**
 * Puts a backup in the place of a database that nobody has open. The backup is checked first; what it replaces stays beside it.
 * Throws `store/corrupt` or `store/layout` for what cannot be used, and then changes nothing.
 */
export async function restoreDatabase({ from, file, format, suffix, adjust }: Restoring): Promise<Replaced> {
  const layout = reading(from, (db) => {
    const found = layoutOf(db, from, format);
    if (found > format.layout.length) throw layoutError(from, found, format.layout.length);
    checkPages(db, from, "integrity_check");
    return found;
  });
  const fresh = `${file}.restoring`;
  rmSync(fresh, { force: true });
  await backupDatabase(from, fresh, format);
  try {
    usingFile(fresh, (db) => adjust?.(db)).close();
    syncFile(fresh);
    const kept = keep(file, suffix);
    renameSync(fresh, file);
    syncFile(dirname(file));
    return { layout, ...(kept !== undefined && { kept }) };
  } catch (cause) {
    rmSync(fresh, { force: true });
    throw databaseError(cause, file);
  }
}

/** Gives a database a second name, its log included, and leaves no log beside the first. */
function keep(file: string, suffix: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const kept = `${file}.${suffix}`;
  const hasLog = existsSync(`${file}-wal`);
  if (hasLog) copyFileSync(`${file}-wal`, `${kept}-wal`);
  try {
    usingFile(file, (db) => db.exec("PRAGMA wal_checkpoint(TRUNCATE)")).close();
    if (hasLog) rmSync(`${kept}-wal`);
  } catch {
    // Damaged: its log is kept with it, and must not be taken for that of the backup.
    for (const log of ["-wal", "-shm"]) rmSync(file + log, { force: true });
  }
  linkSync(file, kept);
  return kept;
}

export interface Upgraded {
  readonly from: number;
  readonly to: number;
  /** The database as it was; absent: there was nothing to do. */
  readonly backup?: string;
}

/** Brings a database that nobody has open to the present layout, in one transaction, after a backup beside it. */
export async function upgradeDatabase(file: string, format: DatabaseFormat, suffix: string): Promise<Upgraded> {
  const to = format.layout.length;
  const from = reading(file, (db) => layoutOf(db, file, format));
  if (from === to) return { from, to };
  if (from > to) throw layoutError(file, from, to);
  const copy = `${file}.${suffix}`;
  await backupDatabase(file, copy, format);
  usingFile(file, (db) => {
    layOut(db, format, format.layout.slice(from));
    checkPages(db, file, "integrity_check");
  }).close();
  return { from, to, backup: copy };
}

/** Reads from a database that others may be working on; it must be there. */
export function reading<T>(file: string, read: (db: DatabaseSync) => T): T {
  const db = openExisting(file);
  try {
    return read(db);
  } catch (cause) {
    throw databaseError(cause, file);
  } finally {
    db.close();
  }
}

/** Read-only would need a log that is there already, which no database has that was closed in order. */
function openExisting(file: string): DatabaseSync {
  if (!existsSync(file)) {
    throw new MeshError("usage/invalid", `there is no file ${file}`, { hint: "Check the path." });
  }
  return usingFile(file, (db) => db.exec("PRAGMA query_only = ON"), !isWritable(file));
}

function isWritable(file: string): boolean {
  try {
    // Not by opening it: closing it again would take this process's locks away from SQLite.
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Throws when it is no database of this format, an empty one included. */
function layoutOf(db: DatabaseSync, file: string, format: DatabaseFormat): number {
  const state = readLayout(db, file, format);
  if (state.kind === "fresh") throw damaged(file, "it is empty");
  return state.kind === "current" ? format.layout.length : state.number;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

function syncFile(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

const exists = (file: string): MeshError =>
  new MeshError("usage/invalid", `${file} exists already`, { hint: "Name a new file: backups never overwrite one." });
