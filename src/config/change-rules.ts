import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { forgetHistory } from "./forget-history.ts";
import { type RuleKey, ruleKey } from "./rule.ts";
import { documentColumns, documentOf, type Row, rowsOf } from "./rule-rows.ts";
import { type RuleState, stateOf } from "./rule-state.ts";
import type {
  ChangeOutcome,
  DocumentConflict,
  DocumentOwner,
  DocumentPut,
  DocumentResult,
  Expectation,
  RuleChange,
  StoredDocument,
} from "./store.ts";

export interface ChangeInput {
  readonly change: RuleChange;
  /** Whose documents change: nobody changes those of the other. */
  readonly owner: DocumentOwner;
  readonly atMs: number;
  /** Versions that were replaced longer ago than this many revisions are forgotten. */
  readonly historyRevisions: number;
}

/** `repeated`: what was answered before to this idempotency key; nothing was done now. */
export type ChangeAnswer = ChangeOutcome & { readonly repeated?: boolean };

interface Head {
  readonly id: number;
  readonly document: StoredDocument;
}

interface Step {
  readonly key: RuleKey;
  readonly expect: Expectation;
  readonly head: Head | undefined;
  /** Undefined: the document is to be deleted. */
  readonly put?: DocumentPut;
}

/** A result, and the version that it shows. */
interface Written {
  readonly result: DocumentResult;
  readonly version?: number;
}

/** Compares, and sets all or nothing. */
export function changeRules(db: DatabaseSync, { change, owner, atMs, historyRevisions }: ChangeInput): ChangeAnswer {
  const before = firstOutcome(db, change);
  if (before !== undefined) return before;
  const state = stateOf(db);
  const { revision: last } = state;
  const steps = stepsOf(db, change, owner);
  const holds = expectations(db, owner, state);
  const conflicts = steps.flatMap((step): DocumentConflict[] => {
    const { key, expect, head } = step;
    return holds(step) ? [] : [{ key, expected: expect, ...(head !== undefined && { found: head.document }) }];
  });
  if (conflicts.length > 0) return { kind: "conflict", conflicts };

  const changes = steps.some(isChange);
  const revision = changes ? last + 1 : last;
  if (changes) addRevision(db, change, revision, atMs);
  const write = writer(db, { owner, revision, atMs, by: change.by });
  const written = steps.map(write);
  remember(db, change, revision, written);
  if (changes || change.idempotencyKey !== undefined) forgetHistory(db, revision - historyRevisions, steps.length);
  return { kind: "written", revision, results: written.map(({ result }) => result) };
}

function stepsOf(db: DatabaseSync, { puts, deletes }: RuleChange, owner: DocumentOwner): readonly Step[] {
  const find = db.prepare(
    `SELECT ${documentColumns} FROM rule_heads h JOIN rule_versions v ON v.id = h.version
     WHERE h.key = ? AND h.owner = ?`,
  );
  const headOf = (key: RuleKey): Head | undefined => {
    const [row] = rowsOf(find, key, owner);
    return row === undefined ? undefined : { id: Number(row["id"]), document: documentOf(row) };
  };
  return [
    ...puts.map((put): Step => {
      const key = ruleKey(put.kind, put.namespace, put.name);
      return { key, expect: put.expect, head: headOf(key), put };
    }),
    ...deletes.map(({ key, expect }): Step => ({ key, expect, head: headOf(key) })),
  ];
}

/** Does a step find what its writer believes to be there? */
function expectations(
  db: DatabaseSync,
  owner: DocumentOwner,
  { revision: last, forgotten, restored }: RuleState,
): (step: Step) => boolean {
  /** Was there nothing at this revision either? What was forgotten is answered with no. */
  const wasAbsent = (key: RuleKey, since: number): boolean => {
    const lived = db.prepare(
      "SELECT 1 FROM rule_versions WHERE key = ? AND owner = ? AND revision <= ? AND replaced_in > ?",
    );
    return since >= forgotten && rowsOf(lived, key, owner, since, since).length === 0;
  };
  return ({ key, expect, head }) => {
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

const isChange = ({ head, put }: Step): boolean =>
  put === undefined ? head !== undefined : head === undefined || !isSameText(put, head.document);

/** Where it came from does not count: a document may move in its file. */
export const isSameText = (
  a: Pick<StoredDocument, "text" | "format">,
  b: Pick<StoredDocument, "text" | "format">,
): boolean => a.text === b.text && a.format === b.format;

const isSameMeaning = (a: string, b: string): boolean => a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));

function addRevision(db: DatabaseSync, change: RuleChange, revision: number, atMs: number): void {
  db.prepare(
    `INSERT INTO rule_revisions (number, at_ms, by_whom, reason, request_id, idempotency_key)
     VALUES (?, ?, ?, ?, ?, ?)`,
  ).run(revision, atMs, change.by, change.reason ?? null, change.requestId ?? null, change.idempotencyKey ?? null);
  db.prepare("UPDATE rule_state SET revision = ?").run(revision);
}

interface Writing {
  readonly owner: DocumentOwner;
  readonly revision: number;
  readonly atMs: number;
  readonly by: string;
}

function writer(db: DatabaseSync, writing: Writing): (step: Step) => Written {
  const { owner, revision } = writing;
  const addVersion = db.prepare(
    `INSERT INTO rule_versions
       (key, owner, revision, kind, namespace, name, labels, uid, generation, created_at_ms, created_by,
        updated_at_ms, updated_by, source_file, source_line, format, text, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const replace = db.prepare("UPDATE rule_versions SET replaced_in = ? WHERE id = ?");
  const setHead = db.prepare(
    `INSERT INTO rule_heads (key, owner, version) VALUES (?, ?, ?)
     ON CONFLICT (key, owner) DO UPDATE SET version = excluded.version`,
  );
  const removeHead = db.prepare("DELETE FROM rule_heads WHERE key = ? AND owner = ?");
  const addEvent = db.prepare("INSERT INTO rule_events (revision, position, kind, version) VALUES (?, ?, ?, ?)");
  let position = 0;

  return (step) => {
    const { key, head, put } = step;
    if (!isChange(step)) return unchanged(key, head);
    if (head !== undefined) replace.run(revision, head.id);
    if (put === undefined) {
      removeHead.run(key, owner);
      addEvent.run(revision, ++position, "deleted", head?.id ?? null);
      return { ...unchanged(key, head), result: { ...unchanged(key, head).result, action: "deleted" } };
    }
    const document = nextVersion(put, key, head?.document, writing);
    const { created, updated, source } = document;
    const { lastInsertRowid } = addVersion.run(
      ...[key, owner, revision, put.kind, put.namespace, put.name, JSON.stringify(put.labels)],
      ...[document.uid, document.generation, created.atMs, created.by, updated.atMs, updated.by],
      ...[source?.file ?? null, source?.line ?? null, put.format, put.text, put.json],
    );
    const version = Number(lastInsertRowid);
    setHead.run(key, owner, version);
    addEvent.run(revision, ++position, head === undefined ? "added" : "modified", version);
    return { result: { key, action: head === undefined ? "created" : "configured", document }, version };
  };
}

const unchanged = (key: RuleKey, head: Head | undefined): Written => ({
  result: { key, action: "unchanged", ...(head !== undefined && { document: head.document }) },
  ...(head !== undefined && { version: head.id }),
});

function nextVersion(
  put: DocumentPut,
  key: RuleKey,
  before: StoredDocument | undefined,
  { owner, revision, atMs, by }: Writing,
): StoredDocument {
  const { kind, namespace, name, labels, format, text, json, source } = put;
  const updated = { atMs, by };
  return {
    ...{ key, kind, namespace, name, labels, owner },
    uid: before?.uid ?? randomUUID(),
    generation: before === undefined ? 1 : before.generation + (isSameMeaning(before.json, json) ? 0 : 1),
    revision,
    created: before?.created ?? updated,
    updated,
    ...(source !== undefined && { source }),
    ...{ format, text, json },
  };
}

interface Remembered {
  readonly key: RuleKey;
  readonly action: DocumentResult["action"];
  readonly version?: number;
}

function remember(db: DatabaseSync, change: RuleChange, revision: number, written: readonly Written[]): void {
  if (change.idempotencyKey === undefined) return;
  const results = written.map(
    ({ result: { key, action }, version }): Remembered => ({ key, action, ...(version !== undefined && { version }) }),
  );
  db.prepare("INSERT INTO rule_outcomes (by_whom, idempotency_key, revision, results) VALUES (?, ?, ?, ?)").run(
    change.by,
    change.idempotencyKey,
    revision,
    JSON.stringify(results),
  );
}

function firstOutcome(db: DatabaseSync, { by, idempotencyKey }: RuleChange): ChangeAnswer | undefined {
  if (idempotencyKey === undefined) return undefined;
  const outcomes = db.prepare("SELECT revision, results FROM rule_outcomes WHERE by_whom = ? AND idempotency_key = ?");
  const [row] = rowsOf(outcomes, by, idempotencyKey);
  return row === undefined ? undefined : outcomeOf(db, row);
}

function outcomeOf(db: DatabaseSync, row: Row): ChangeAnswer {
  const find = db.prepare(`SELECT ${documentColumns} FROM rule_versions v WHERE v.id = ?`);
  const documentOfVersion = (id: number | undefined) => {
    const [found] = id === undefined ? [] : rowsOf(find, id);
    return found === undefined ? {} : { document: documentOf(found) };
  };
  const results = (JSON.parse(String(row["results"])) as readonly Remembered[]).map(
    ({ key, action, version }): DocumentResult => ({ key, action, ...documentOfVersion(version) }),
  );
  return { kind: "written", revision: Number(row["revision"]), results, repeated: true };
}
