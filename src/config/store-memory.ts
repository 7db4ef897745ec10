import { OrderedMap } from "../base/ordered-map.ts";
import type { RuleKey } from "./rule.ts";
import type { DocumentOwner, StoredDocument } from "./store.ts";

type Documents = OrderedMap<RuleKey, StoredDocument>;
export type DocumentChanges = ReadonlyMap<RuleKey, StoredDocument | undefined>;

/** The present documents, in memory. */
export interface DocumentMemory {
  readonly of: (owner: DocumentOwner) => Documents;
  readonly get: (key: RuleKey) => StoredDocument | undefined;
  /** All in the order of their keys, the directory's before the store's own. Same array until something changes. */
  readonly all: () => readonly StoredDocument[];
  readonly change: (owner: DocumentOwner, changes: DocumentChanges) => void;
}

export function createDocumentMemory(): DocumentMemory {
  const documents: Record<DocumentOwner, Documents> = { store: OrderedMap.of(), directory: OrderedMap.of() };
  let all: readonly StoredDocument[] | undefined = [];
  return {
    of: (owner) => documents[owner],
    get: (key) => documents.directory.get(key) ?? documents.store.get(key),
    all: () => {
      all ??= [...documents.store.with(documents.directory).values()];
      return all;
    },
    change: (owner, changes) => {
      if (changes.size === 0) return;
      documents[owner] = documents[owner].with(changes);
      all = undefined;
    },
  };
}
