import type { DatabaseFormat, Procedures } from "../base/database.ts";
import { ruleHistoryLayout, ruleLayout } from "../config/rule-layout.ts";
import { ruleProcedures } from "../config/rule-procedures.ts";
import { leaseLayout, leaseProcedures } from "../registry/rest/lease-procedures.ts";
import { tokenLayout, tokenProcedures } from "../security/token-procedures.ts";

/** All that is kept in the data directory's database, in the order in which it came to be: only ever add at the end. */
export const storeFormat: DatabaseFormat = {
  // "Fway"
  applicationId: 0x46776179,
  layout: [ruleLayout, tokenLayout, leaseLayout, ruleHistoryLayout],
};

/** All that is done in it. */
export const storeProcedures = { ...ruleProcedures, ...tokenProcedures, ...leaseProcedures } satisfies Procedures;

export type StoreProcedures = typeof storeProcedures;
