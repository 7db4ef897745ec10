import { randomUUID } from "node:crypto";
import { type RuleKey, ruleKey } from "../config/rule.ts";
import type {
  DocumentConflict,
  DocumentPut,
  DocumentResult,
  Expectation,
  RuleChange,
  RuleStore,
  Stamp,
  StoredDocument,
} from "../config/store.ts";

type Reads = Pick<RuleStore, "own" | "revision" | "eventsAfter">;

/** Where a change would find something else than it expects, as the store would tell it. */
export function conflictsOf({ puts, deletes }: RuleChange, store: Reads): readonly DocumentConflict[] {
  const wanted = [
    ...puts.map((put) => ({ key: keyOf(put), expected: put.expect })),
    ...deletes.map(({ key, expect }) => ({ key, expected: expect })),
  ];
  return wanted.flatMap(({ key, expected }) => {
    const found = store.own(key);
    if (meets(expected, key, found, store)) return [];
    return [{ key, expected, ...(found !== undefined && { found }) }];
  });
}

const keyOf = ({ kind, namespace, name }: DocumentPut): RuleKey => ruleKey(kind, namespace, name);

function meets(expect: Expectation, key: RuleKey, found: StoredDocument | undefined, store: Reads): boolean {
  if (expect.kind === "any") return true;
  if (expect.kind === "absent") return found === undefined;
  if (expect.kind === "present") return found !== undefined;
  if (expect.kind === "revision") return found?.revision === expect.revision;
  if (found !== undefined) return found.revision <= expect.revision;
  const events = store.eventsAfter({ revision: expect.revision, index: Number.POSITIVE_INFINITY });
  return events === "gone" || !events.some(({ document }) => document.key === key && document.owner === "store");
}

/** What the store would hold after a change; the revision is the present one. */
export function previewOf(
  { puts, deletes }: RuleChange,
  store: Reads,
  stamp: Stamp,
): { readonly revision: number; readonly results: readonly DocumentResult[] } {
  const revision = store.revision();
  return {
    revision,
    results: [
      ...puts.map((put) => previewPut(put, store.own(keyOf(put)), { revision: revision + 1, stamp })),
      ...deletes.map(({ key }): DocumentResult => {
        const document = store.own(key);
        return document === undefined ? { key, action: "unchanged" } : { key, action: "deleted", document };
      }),
    ],
  };
}

function previewPut(
  put: DocumentPut,
  current: StoredDocument | undefined,
  { revision, stamp }: { readonly revision: number; readonly stamp: Stamp },
): DocumentResult {
  const key = keyOf(put);
  if (current?.text === put.text && current.format === put.format)
    return { key, action: "unchanged", document: current };
  const generation = current === undefined ? 1 : current.generation + Number(current.json !== put.json);
  const { uid, created } = current ?? { uid: randomUUID(), created: stamp };
  const { expect: _expected, ...content } = put;
  const document = { ...content, key, owner: "store" as const, uid, created, updated: stamp, generation, revision };
  return { key, action: current === undefined ? "created" : "configured", document };
}
