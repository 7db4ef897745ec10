import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import type { RuleKey } from "./rule.ts";
import { type Head, type Heads, seenOf } from "./rule-heads.ts";
import type {
  DocumentEvent,
  DocumentOwner,
  DocumentPut,
  DocumentResult,
  Expectation,
  StoredDocument,
} from "./store.ts";

/** What a change wants of one key. */
export interface Step {
  readonly key: RuleKey;
  readonly expect: Expectation;
  /** What is there of both owners. */
  readonly heads: Heads;
  /** Undefined: the document is to be deleted. */
  readonly put?: DocumentPut;
}

/** What became of a step. */
export interface Written {
  readonly result: DocumentResult;
  /** That the result shows. */
  readonly version?: number;
  /** What is there now, where it is not what was there before. */
  readonly present?: { readonly document: StoredDocument | undefined };
  readonly event?: DocumentEvent;
}

export interface Writing {
  readonly owner: DocumentOwner;
  readonly revision: number;
  readonly atMs: number;
  readonly by: string;
}

/** Needs a revision? */
export function isChange({ heads, put }: Step, owner: DocumentOwner): boolean {
  const document = heads[owner]?.document;
  return put === undefined ? document !== undefined : document === undefined || !isSameText(put, document);
}

/** Where it came from does not count: a document may move in its file. */
export const isSameText = (
  a: Pick<StoredDocument, "text" | "format">,
  b: Pick<StoredDocument, "text" | "format">,
): boolean => a.text === b.text && a.format === b.format;

/** Who does not say where a document is from, does not say that it is from elsewhere. */
export const isSameSource = (
  { source: before }: Pick<StoredDocument, "source">,
  { source }: Pick<DocumentPut, "source">,
): boolean => source === undefined || (before?.file === source.file && before.line === source.line);

const isSameMeaning = (a: string, b: string): boolean => a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));

/** Writes the steps of one revision, in their order. */
export function writer(db: DatabaseSync, writing: Writing): (step: Step) => Written {
  const { owner, revision } = writing;
  const addVersion = db.prepare(
    `INSERT INTO rule_versions
       (key, owner, revision, kind, namespace, name, labels, uid, generation, created_at_ms, created_by,
        updated_at_ms, updated_by, source_file, source_line, format, text, json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const replace = db.prepare("UPDATE rule_versions SET replaced_in = ? WHERE id = ?");
  const move = db.prepare("UPDATE rule_versions SET source_file = ?, source_line = ? WHERE id = ?");
  const setHead = db.prepare(
    `INSERT INTO rule_heads (key, owner, version) VALUES (?, ?, ?)
     ON CONFLICT (key, owner) DO UPDATE SET version = excluded.version`,
  );
  const removeHead = db.prepare("DELETE FROM rule_heads WHERE key = ? AND owner = ?");
  const addEvent = db.prepare("INSERT INTO rule_events (revision, position, kind, version) VALUES (?, ?, ?, ?)");
  let position = 0;

  const add = (key: RuleKey, document: StoredDocument): Head => {
    const { kind, namespace, name, labels, uid, generation, created, updated, source, format, text, json } = document;
    const { lastInsertRowid } = addVersion.run(
      ...[key, owner, revision, kind, namespace, name, JSON.stringify(labels), uid, generation],
      ...[created.atMs, created.by, updated.atMs, updated.by, source?.file ?? null, source?.line ?? null],
      ...[format, text, json],
    );
    const id = Number(lastInsertRowid);
    setHead.run(key, owner, id);
    return { id, document };
  };
  const tell = (before: Heads, after: Heads): { readonly event?: DocumentEvent } => {
    const seen = seenChange(seenOf(before), seenOf(after));
    if (seen === undefined) return {};
    const { kind, head } = seen;
    addEvent.run(revision, ++position, kind, head.id);
    return { event: { kind, revision, index: position, document: head.document } };
  };

  return (step) => {
    const { key, heads, put } = step;
    const head = heads[owner];
    if (!isChange(step, owner)) {
      if (head === undefined) return { result: { key, action: "unchanged" } };
      if (put?.source === undefined || isSameSource(head.document, put)) return shown(key, "unchanged", head);
      move.run(put.source.file, put.source.line, head.id);
      const document = { ...head.document, source: put.source };
      return { ...shown(key, "unchanged", { id: head.id, document }), present: { document } };
    }
    if (head !== undefined) replace.run(revision, head.id);
    if (put === undefined) {
      removeHead.run(key, owner);
      const { [owner]: _removed, ...rest } = heads;
      return { ...shown(key, "deleted", head), present: { document: undefined }, ...tell(heads, rest) };
    }
    const next = add(key, nextVersion(put, key, head?.document, writing));
    return {
      ...shown(key, head === undefined ? "created" : "configured", next),
      present: { document: next.document },
      ...tell(heads, { ...heads, [owner]: next }),
    };
  };
}

/** What those who see one document of each key see change; undefined: nothing. */
function seenChange(
  before: Head | undefined,
  after: Head | undefined,
): { readonly kind: DocumentEvent["kind"]; readonly head: Head } | undefined {
  if (after !== undefined) {
    if (before?.id === after.id) return undefined;
    return { kind: before === undefined ? "added" : "modified", head: after };
  }
  return before && { kind: "deleted", head: before };
}

const shown = (key: RuleKey, action: DocumentResult["action"], head: Head | undefined): Written => ({
  result: { key, action, ...(head !== undefined && { document: head.document }) },
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
