import type { DatabaseSync } from "node:sqlite";
import type { Procedures } from "./database.ts";
import { type ErrorCode, MeshError } from "./errors.ts";
import { databaseError } from "./sqlite-error.ts";

/** A call of a procedure, on its way to the database's thread. */
export interface CallMessage {
  readonly name: string;
  readonly input: unknown;
}

/** An error as plain data. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

export type Answer =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: ErrorMessage };

export interface Running {
  readonly db: DatabaseSync;
  readonly procedures: Procedures;
  /** As errors name it. */
  readonly file: string;
}

/**
 * Runs calls in their order and commits them together, so that they share one wait for the disk. Each stands alone all the
 * same: one that throws leaves nothing behind, and when all of them cannot be committed at once, each is tried by itself.
 * Answers are in the order of the calls, and are given after what they speak of is on the disk.
 */
export function runCalls(running: Running, calls: readonly CallMessage[]): readonly Answer[] {
  try {
    return inTransaction(running.db, () => calls.map((call) => runOne(running, call)));
  } catch (cause) {
    if (calls.length > 1) return calls.flatMap((call) => runCalls(running, [call]));
    return [{ ok: false, error: messageOf(cause, running.file) }];
  }
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  // Left open only when the last rollback failed too.
  if (db.isTransaction) db.exec("ROLLBACK");
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (cause) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw cause;
  }
}

function runOne({ db, procedures, file }: Running, { name, input }: CallMessage): Answer {
  const procedure = Object.hasOwn(procedures, name) ? procedures[name] : undefined;
  if (procedure === undefined)
    return { ok: false, error: { code: "internal/failed", message: `no procedure ${name}` } };
  db.exec("SAVEPOINT call");
  try {
    const output = procedure(db, input);
    db.exec("RELEASE call");
    return { ok: true, output };
  } catch (cause) {
    // After some errors, a full disk among them, SQLite has rolled all of the transaction back by itself.
    if (!db.isTransaction) throw cause;
    db.exec("ROLLBACK TO call; RELEASE call");
    return { ok: false, error: messageOf(cause, file) };
  }
}

export function messageOf(cause: unknown, file: string): ErrorMessage {
  const { code, message, hint } = databaseError(cause, file);
  return { code, message, ...(hint !== undefined && { hint }) };
}

export function errorOf({ code, message, hint }: ErrorMessage): MeshError {
  return new MeshError(code, message, hint === undefined ? {} : { hint });
}
