import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../src/base/clock.ts";
import type { Call } from "../../src/base/database.ts";
import { createLog } from "../../src/base/log.ts";
import { ruleHistoryLayout, ruleLayout } from "../../src/config/rule-layout.ts";
import { ruleProcedures } from "../../src/config/rule-procedures.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/config/sqlite-store.ts";
import type { RuleStore } from "../../src/config/store.ts";

/** The real store on a database in memory, without a thread of its own. */
export async function memoryRuleStore(clock: Clock, options?: SqliteStoreOptions): Promise<RuleStore> {
  const db = new DatabaseSync(":memory:");
  db.exec(ruleLayout.sql);
  db.exec(ruleHistoryLayout.sql);
  const call: Call<typeof ruleProcedures> = async (name, input) => {
    db.exec("BEGIN IMMEDIATE");
    try {
      const procedure = ruleProcedures[name] as (db: DatabaseSync, input: unknown) => unknown;
      const result = procedure(db, input);
      db.exec("COMMIT");
      return result as ReturnType<(typeof ruleProcedures)[typeof name]>;
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  return openSqliteStore({ call, clock, log, ...(options && { options }) });
}
