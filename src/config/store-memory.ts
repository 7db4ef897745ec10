import type { RuleKey } from "./rule.ts";
import { changeSorted } from "./sorted-map.ts";
import type { DocumentOwner, StoredDocument } from "./store.ts";

type Documents = Map<RuleKey, StoredDocument>;
export type DocumentChanges = ReadonlyMap<RuleKey, StoredDocument | undefined>;

/** The present documents, in memory. */
export interface DocumentMemory {
  /** The map of now: it changes, or is replaced, with the next change. */
  readonly of: (owner: DocumentOwner) => ReadonlyMap<RuleKey, StoredDocument>;
  readonly get: (key: RuleKey) => StoredDocument | undefined;
  /** All in the order of their keys, the directory's before the store's own. Same array until something changes. */
  readonly all: () => readonly StoredDocument[];
  readonly change: (owner: DocumentOwner, changes: DocumentChanges) => void;
}

export function createDocumentMemory(): DocumentMemory {
  const documents: Record<DocumentOwner, Documents> = { store: new Map(), directory: new Map() };
  let all: readonly StoredDocument[] | undefined = [];
  return {
    of: (owner) => documents[owner],
    get: (key) => documents.directory.get(key) ?? documents.store.get(key),
    all: () => {
      all ??= [...changeSorted(documents.store, documents.directory).values()];
      return all;
    },
    change: (owner, changes) => {
      if (changes.size === 0) return;
      documents[owner] = changed(documents[owner], changes);
      all = undefined;
    },
  };
}

/** In place where no document is new: then the order stays. */
function changed(documents: Documents, changes: DocumentChanges): Documents {
  if (![...changes.keys()].every((key) => documents.has(key))) return changeSorted(documents, changes);
  for (const [key, document] of changes) {
    if (document === undefined) documents.delete(key);
    else documents.set(key, document);
  }
  return documents;
}
