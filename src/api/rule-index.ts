import { memoize } from "../base/memo.ts";
import type { RuleKind } from "../config/rule.ts";
import type { StoredDocument } from "../config/store.ts";
import { formatPageToken, type PageRequest } from "./paging.ts";
import type { Page } from "./types/pages.ts";

type Documents = readonly StoredDocument[];

/** The documents of a kind, in the order of their keys; made once for each state of the store. */
export const documentsOfKind: (all: Documents, kind: RuleKind) => Documents = memoize(
  (all: Documents, kind: RuleKind) => all.filter((document) => document.kind === kind),
);

const byNamespace = memoize((documents: Documents) => Map.groupBy(documents, ({ namespace }) => namespace));

export const documentsOfNamespace = (documents: Documents, namespace: string): Documents =>
  byNamespace(documents).get(namespace) ?? none;

const none: Documents = [];

/** A page of documents that are in the order of their keys already. */
export function pageOfDocuments(documents: Documents, { limit, after }: PageRequest): Page<StoredDocument> {
  const start = after === undefined ? 0 : firstBehind(documents, after.key);
  const items = documents.slice(start, start + limit);
  const last = items.at(-1);
  const more = last !== undefined && start + limit < documents.length;
  return {
    items,
    total: documents.length,
    ...(more && { continue: formatPageToken({ key: last.key, ordinal: 0 }) }),
  };
}

function firstBehind(documents: Documents, key: string): number {
  let low = 0;
  let high = documents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((documents[middle]?.key ?? "") > key) high = middle;
    else low = middle + 1;
  }
  return low;
}
