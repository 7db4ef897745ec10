import type { DatabaseSync } from "node:sqlite";
import { rowsOf } from "./rule-rows.ts";

/** How much of what was replaced is kept; the rest goes, oldest first. */
export interface HistoryBounds {
  readonly revisions: number;
  /** Of the texts of replaced versions. */
  readonly bytes: number;
}

/** Rows that one change clears away at least; it always clears more than it adds, so that a backlog ends. */
const leastRows = 32;
/** Answers to idempotency keys that are kept, whatever their revision. */
const keptOutcomes = 10_000;

/**
 * Deletes what was replaced and is out of bounds: a few rows at a time, in proportion to what the change `added`, so that no
 * change waits for long. Present versions and their revisions stay, however old.
 */
export function forgetHistory(
  db: DatabaseSync,
  { revision, added }: { readonly revision: number; readonly added: number },
  bounds: HistoryBounds,
): void {
  const rows = Math.max(leastRows, 2 * added);
  const horizon = Math.max(revision - bounds.revisions, horizonOfBytes(db, bounds.bytes, rows));
  forgetOutcomes(db, horizon, rows);
  if (horizon < 1) return;
  const { forgotten, revisions: events } = forgetEvents(db, horizon, rows);
  // A version goes after the events of its time, so that `forgotten` tells of what nobody knows any more.
  const versions = rowsOf(
    db.prepare(
      `DELETE FROM rule_versions WHERE id IN (
         SELECT id FROM rule_versions v WHERE replaced_in <= ?
           AND NOT EXISTS (SELECT 1 FROM rule_events e WHERE e.version = v.id)
         ORDER BY replaced_in LIMIT ?)
       RETURNING revision, replaced_in`,
    ),
    Math.min(horizon, forgotten),
    rows,
  ).flatMap((row) => [Number(row["revision"]), Number(row["replaced_in"])]);
  forgetRevisions(db, new Set([...events, ...versions]));
}

/** The revision up to which replaced versions must go to be within the bytes, as far as the oldest `rows` of them; 0: none. */
function horizonOfBytes(db: DatabaseSync, bytes: number, rows: number): number {
  const [state] = rowsOf(db.prepare("SELECT replaced_bytes FROM rule_state"));
  let excess = Number(state?.["replaced_bytes"]) - bytes;
  if (excess <= 0) return 0;
  const oldest = db.prepare(
    `SELECT replaced_in, octet_length(text) + octet_length(json) AS bytes FROM rule_versions
     WHERE replaced_in IS NOT NULL ORDER BY replaced_in LIMIT ?`,
  );
  let horizon = 0;
  for (const row of rowsOf(oldest, rows)) {
    horizon = Number(row["replaced_in"]);
    excess -= Number(row["bytes"]);
    if (excess <= 0) break;
  }
  return horizon;
}

/** The revisions that the deleted events were of, and the last one whose events may be gone. */
function forgetEvents(
  db: DatabaseSync,
  horizon: number,
  rows: number,
): { readonly forgotten: number; readonly revisions: readonly number[] } {
  const revisions = rowsOf(
    db.prepare(
      `DELETE FROM rule_events WHERE (revision, position) IN (
         SELECT revision, position FROM rule_events WHERE revision <= ? ORDER BY revision, position LIMIT ?)
       RETURNING revision`,
    ),
    horizon,
    rows,
  ).map((row) => Number(row["revision"]));
  const [row] = rowsOf(
    db.prepare("UPDATE rule_state SET forgotten = max(forgotten, ?) RETURNING forgotten"),
    revisions.length < rows ? horizon : Math.max(...revisions),
  );
  return { forgotten: Number(row?.["forgotten"]), revisions };
}

/** Those that nothing speaks of any more. */
function forgetRevisions(db: DatabaseSync, candidates: Iterable<number>): void {
  const forget = db.prepare(
    `DELETE FROM rule_revisions AS r WHERE number = ?
       AND NOT EXISTS (SELECT 1 FROM rule_versions WHERE revision = r.number)
       AND NOT EXISTS (SELECT 1 FROM rule_versions WHERE replaced_in = r.number)
       AND NOT EXISTS (SELECT 1 FROM rule_events WHERE revision = r.number)`,
  );
  for (const number of candidates) forget.run(number);
}

/** Their revisions grow with their ids. */
function forgetOutcomes(db: DatabaseSync, horizon: number, rows: number): void {
  db.prepare(
    `DELETE FROM rule_outcomes WHERE id IN (
       SELECT id FROM (SELECT id, revision FROM rule_outcomes ORDER BY id LIMIT ?) WHERE revision <= ?)`,
  ).run(rows, horizon);
  db.prepare("DELETE FROM rule_outcomes WHERE id <= (SELECT max(id) FROM rule_outcomes) - ?").run(keptOutcomes);
}
