import type { DatabaseSync } from "node:sqlite";
import { forgetHistory, type HistoryBounds } from "./forget-history.ts";
import { type RuleKey, ruleKey } from "./rule.ts";
import { type Head, headFinder } from "./rule-heads.ts";
import { type OutcomeKey, readOutcome, rememberOutcome } from "./rule-outcomes.ts";
import { rowsOf } from "./rule-rows.ts";
import { type RuleState, stateOf } from "./rule-state.ts";
import type {
  ChangeOutcome,
  DocumentConflict,
  DocumentEvent,
  DocumentOwner,
  DocumentPut,
  Expectation,
  RuleChange,
  StoredDocument,
} from "./store.ts";
import { isChange, type Step, type Written, writer } from "./write-step.ts";

export interface ChangeInput {
  readonly change: RuleChange;
  /** Whose documents change: nobody changes those of the other. */
  readonly owner: DocumentOwner;
  readonly atMs: number;
  readonly history: HistoryBounds;
}

/** `news`: absent when nothing is other than before. */
export type ChangeAnswer = ChangeOutcome & { readonly news?: News };

/** What whoever holds the documents in memory is to follow. */
export interface News {
  readonly revision: number;
  /** The owner's documents that are others now; undefined: gone. */
  readonly documents: readonly (readonly [RuleKey, StoredDocument | undefined])[];
  readonly events: readonly DocumentEvent[];
}

/** Compares, and sets all or nothing. */
export function changeRules(db: DatabaseSync, { change, owner, atMs, history }: ChangeInput): ChangeAnswer {
  const outcomeKey = outcomeKeyOf(change);
  const before = outcomeKey && readOutcome(db, outcomeKey);
  if (before !== undefined) return before;
  const state = stateOf(db);
  const { revision: last } = state;
  const steps = stepsOf(db, change);
  const holds = expectations(db, owner, state);
  const conflicts = steps.flatMap(({ key, expect, heads }): DocumentConflict[] => {
    const head = heads[owner];
    if (holds(key, expect, head)) return [];
    return [{ key, expected: expect, ...(head !== undefined && { found: head.document }) }];
  });
  if (conflicts.length > 0) return { kind: "conflict", conflicts };

  const changes = steps.some((step) => isChange(step, owner));
  const revision = changes ? last + 1 : last;
  if (changes) addRevision(db, change, revision, atMs);
  const written = steps.map(writer(db, { owner, revision, atMs, by: change.by }));
  if (outcomeKey !== undefined) {
    const results = written.map(({ result: { key, action }, version }) => ({
      ...{ key, action },
      ...(version !== undefined && { version }),
    }));
    rememberOutcome(db, outcomeKey, { revision, results });
  }
  if (changes || outcomeKey !== undefined) forgetHistory(db, { revision, added: steps.length }, history);
  const note = change.idempotency?.note;
  return {
    ...{ kind: "written", revision, results: written.map(({ result }) => result) },
    ...(note !== undefined && { note }),
    ...newsOf(revision, written),
  };
}

/** What `changeRules` would answer. */
export function previewRules(db: DatabaseSync, input: ChangeInput): ChangeOutcome {
  db.exec("SAVEPOINT preview");
  try {
    const { news: _news, ...outcome } = changeRules(db, input);
    return outcome;
  } finally {
    db.exec("ROLLBACK TO preview; RELEASE preview");
  }
}

const outcomeKeyOf = ({ by, idempotency }: RuleChange): OutcomeKey | undefined =>
  idempotency === undefined ? undefined : { by, idempotency };

function newsOf(revision: number, written: readonly Written[]): { readonly news?: News } {
  const documents = written.flatMap(({ result: { key }, present }) =>
    present === undefined ? [] : ([[key, present.document]] as const),
  );
  const events = written.flatMap(({ event }) => event ?? []);
  return documents.length === 0 ? {} : { news: { revision, documents, events } };
}

function stepsOf(db: DatabaseSync, { puts, deletes }: RuleChange): readonly Step[] {
  const find = headFinder(db);
  return [
    ...puts.map((put: DocumentPut): Step => {
      const key = ruleKey(put.kind, put.namespace, put.name);
      return { key, expect: put.expect, heads: find(key), put };
    }),
    ...deletes.map(({ key, expect }): Step => ({ key, expect, heads: find(key) })),
  ];
}

/** Does somebody find what he believes to be there? */
function expectations(
  db: DatabaseSync,
  owner: DocumentOwner,
  { revision: last, forgotten, restored }: RuleState,
): (key: RuleKey, expect: Expectation, head: Head | undefined) => boolean {
  /** Was there nothing at this revision either? What was forgotten is answered with no. */
  const wasAbsent = (key: RuleKey, since: number): boolean => {
    const lived = db.prepare(
      "SELECT 1 FROM rule_versions WHERE key = ? AND owner = ? AND revision <= ? AND replaced_in > ?",
    );
    return since >= forgotten && rowsOf(lived, key, owner, since, since).length === 0;
  };
  return (key, expect, head) => {
    switch (expect.kind) {
      case "any":
        return true;
      case "absent":
        return head === undefined;
      case "present":
        return head !== undefined;
      case "revision":
        return head?.document.revision === expect.revision;
      case "unchanged-since":
        if (expect.revision > last || expect.revision < restored) return false;
        return head === undefined ? wasAbsent(key, expect.revision) : head.document.revision <= expect.revision;
    }
  };
}

function addRevision(db: DatabaseSync, change: RuleChange, revision: number, atMs: number): void {
  db.prepare(
    `INSERT INTO rule_revisions (number, at_ms, by_whom, reason, request_id, idempotency_key)
     VALUES (?, ?, ?, ?, ?, ?)`,
  ).run(revision, atMs, change.by, change.reason ?? null, change.requestId ?? null, change.idempotency?.key ?? null);
  db.prepare("UPDATE rule_state SET revision = ?").run(revision);
}
