import { DatabaseSync } from "node:sqlite";
import type { Call, Procedure } from "../../src/base/database.ts";
import { createLog, type Log } from "../../src/base/log.ts";
import { tokenLayout, tokenProcedures } from "../../src/security/token-procedures.ts";

/** The token procedures on a database of their own, without a worker. */
export function tokenDatabase(file = ":memory:"): {
  readonly db: DatabaseSync;
  readonly call: Call<typeof tokenProcedures>;
} {
  const db = new DatabaseSync(file);
  db.exec(tokenLayout.sql);
  return { db, call: callOn(db) };
}

export function callOn(db: DatabaseSync): Call<typeof tokenProcedures> {
  return async (name, input) => {
    const procedure = tokenProcedures[name] as Procedure<unknown, ReturnType<(typeof tokenProcedures)[typeof name]>>;
    // Only plain data travels between threads.
    return structuredClone(procedure(db, structuredClone(input)));
  };
}

/** A log, and its lines as objects. */
export function recordedLog(): { readonly log: Log; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return { log: createLog({ level: "debug", format: "json", write: (line) => lines.push(JSON.parse(line)) }), lines };
}
