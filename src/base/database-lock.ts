import { DatabaseSync } from "node:sqlite";
import { databaseError } from "./sqlite-error.ts";

/**
 * Takes a lock that one process, and one part of it, can have at a time, and that the system takes back when the process dies,
 * however it dies. The file stays empty and must not be opened by anybody else. Undefined: somebody else has it. Throws a
 * `store/…` MeshError when the file cannot be made.
 */
export function takeLock(file: string): (() => void) | undefined {
  // SQLite locks files on every system that Node runs on; Node itself locks none.
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    const held = db;
    return () => held.close();
  } catch (cause) {
    db?.close();
    const error = databaseError(cause, file);
    if (error.code === "store/busy") return undefined;
    throw error;
  }
}
