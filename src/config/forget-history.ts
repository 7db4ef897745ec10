import type { DatabaseSync } from "node:sqlite";
import { rowsOf } from "./rule-rows.ts";

/** Rows that one change clears away at least; it always clears more than it adds, so that a backlog ends. */
const leastRows = 32;
/** Answers to idempotency keys that are kept, whatever their revision. */
const keptOutcomes = 10_000;

/**
 * Deletes what was replaced at or before the revision `horizon`: a few rows at a time, in proportion to what the change added, so
 * that no change waits for long. Present versions and their revisions stay, however old.
 */
export function forgetHistory(db: DatabaseSync, horizon: number, added: number): void {
  const rows = Math.max(leastRows, 2 * added);
  forgetOutcomes(db, horizon, rows);
  if (horizon < 1) return;
  const events = forgetEvents(db, horizon, rows);
  const versions = rowsOf(
    db.prepare(
      `DELETE FROM rule_versions WHERE id IN (
         SELECT id FROM rule_versions v WHERE replaced_in <= ?
           AND NOT EXISTS (SELECT 1 FROM rule_events e WHERE e.version = v.id)
         ORDER BY replaced_in LIMIT ?)
       RETURNING revision, replaced_in`,
    ),
    horizon,
    rows,
  ).flatMap((row) => [Number(row["revision"]), Number(row["replaced_in"])]);
  forgetRevisions(db, new Set([...events, ...versions]));
}

/** The revisions that the deleted events were of. */
function forgetEvents(db: DatabaseSync, horizon: number, rows: number): readonly number[] {
  const revisions = rowsOf(
    db.prepare(
      `DELETE FROM rule_events WHERE (revision, position) IN (
         SELECT revision, position FROM rule_events WHERE revision <= ? ORDER BY revision, position LIMIT ?)
       RETURNING revision`,
    ),
    horizon,
    rows,
  ).map((row) => Number(row["revision"]));
  db.prepare("UPDATE rule_state SET forgotten = max(forgotten, ?)").run(Math.max(0, ...revisions));
  return revisions;
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
