import type { ManagerView } from "../api/types/rules.ts";
import type { RuleKey } from "../config/rule.ts";
import type { RuleSet } from "../config/rule-set.ts";

/** The place in a directory that owns the rule of this key: of its document, or of where it was last read. */
export function managerIn(directory: RuleSet, key: RuleKey): ManagerView | undefined {
  const [document] = directory.documentsOf(key);
  if (document === undefined && !directory.rules.has(key)) return undefined;
  const { file, line } = document ?? directory.locate(key, "");
  return { kind: "directory", ...(file !== undefined && { file }), ...(line !== undefined && { line }) };
}
