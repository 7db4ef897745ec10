import type { DatabaseSync } from "node:sqlite";
import type { RuleKey } from "./rule.ts";
import { documentColumns, documentOf, type Row, rowsOf } from "./rule-rows.ts";
import type { ChangeOutcome, DocumentResult, Idempotency } from "./store.ts";

interface Remembered {
  readonly key: RuleKey;
  readonly action: DocumentResult["action"];
  /** That the result shows. */
  readonly version?: number;
}

/** An answer to be given once more. */
export interface Outcome {
  readonly revision: number;
  readonly results: readonly Remembered[];
}

export interface OutcomeKey {
  readonly by: string;
  readonly idempotency: Idempotency;
}

/** Keeps the answer to a change. */
export function rememberOutcome(
  db: DatabaseSync,
  { by, idempotency }: OutcomeKey,
  { revision, results }: Outcome,
): void {
  const { key, digest, note } = idempotency;
  db.prepare(
    "INSERT INTO rule_outcomes (by_whom, idempotency_key, revision, results, digest, note) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(by, key, revision, JSON.stringify(results), digest, note ?? null);
}

/** What was answered to a change with this key. */
export function readOutcome(db: DatabaseSync, { by, idempotency }: OutcomeKey): ChangeOutcome | undefined {
  const outcomes = db.prepare(
    "SELECT revision, results, digest, note FROM rule_outcomes WHERE by_whom = ? AND idempotency_key = ?",
  );
  const [row] = rowsOf(outcomes, by, idempotency.key);
  if (row === undefined) return undefined;
  const digest = row["digest"];
  return digest === null || digest === idempotency.digest ? outcomeOf(db, row) : { kind: "key-reused" };
}

function outcomeOf(db: DatabaseSync, row: Row): ChangeOutcome {
  const find = db.prepare(`SELECT ${documentColumns} FROM rule_versions v WHERE v.id = ? AND v.key = ?`);
  const documentOfVersion = (id: number | undefined, key: RuleKey) => {
    const [found] = id === undefined ? [] : rowsOf(find, id, key);
    return found === undefined ? {} : { document: documentOf(found) };
  };
  const results = (JSON.parse(String(row["results"])) as readonly Remembered[]).map(
    ({ key, action, version }): DocumentResult => ({ key, action, ...documentOfVersion(version, key) }),
  );
  const note = row["note"];
  return { kind: "written", revision: Number(row["revision"]), results, ...(typeof note === "string" && { note }) };
}
