import type { ManagerView } from "../api/types.ts";
import { memoize } from "../base/memo.ts";
import type { RuleKey } from "../config/rule.ts";
import type { RuleDocument, RuleSet } from "../config/rule-set.ts";

/** The documents of each rule, the one that counts first; remembered with the list. */
export const documentsByKey: (documents: RuleSet["documents"]) => ReadonlyMap<string, readonly RuleDocument[]> =
  memoize((documents: RuleSet["documents"]) =>
    Map.groupBy(documents, ({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
  );

/** The place in a directory that owns the rule of this key: of its document, or of where it was last read. */
export function managerIn(directory: RuleSet, key: RuleKey): ManagerView | undefined {
  const [document] = documentsByKey(directory.documents).get(key) ?? [];
  if (document === undefined && !directory.rules.has(key)) return undefined;
  const { file, line } = document ?? directory.locate(key, "");
  return { kind: "directory", ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
}
