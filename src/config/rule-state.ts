import type { DatabaseSync } from "node:sqlite";
import { rowsOf } from "./rule-rows.ts";

/** Counters of the journal of rules. */
export interface RuleState {
  /** The last revision; 0: none. */
  readonly revision: number;
  /** The last revision of which events were deleted; 0: none. */
  readonly forgotten: number;
  /** Revisions before this one may have been given out for something else, before a backup was restored. */
  readonly restored: number;
}

export function stateOf(db: DatabaseSync): RuleState {
  const [row] = rowsOf(db.prepare("SELECT revision, forgotten, restored FROM rule_state"));
  return {
    revision: Number(row?.["revision"]),
    forgotten: Number(row?.["forgotten"]),
    restored: Number(row?.["restored"]),
  };
}

/** More revisions than anybody makes between a backup and its return. */
const unknownRevisions = 1_000_000;

/**
 * Goes on after the revision `last`, the last that was given out (undefined: nobody knows): what was given out since the backup
 * must not come to mean something else.
 */
export function skipRevisions(db: DatabaseSync, last: number | undefined): void {
  const { revision } = stateOf(db);
  const next = last === undefined ? revision + unknownRevisions : Math.max(revision, last) + 1;
  db.prepare("UPDATE rule_state SET revision = ?1, forgotten = ?1, restored = ?1").run(next);
}
