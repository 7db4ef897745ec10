import { memoize } from "../base/memo.ts";
import { authorsDocument } from "./authors-document.ts";
import type { RuleSet } from "./rule-set.ts";
import type { DocumentPut } from "./store.ts";

/**
 * The accepted documents of a directory, as a rule store writes them down: the one in force of each rule, as JSON. Documents that
 * did not change cost next to nothing.
 */
export function directoryJournal({ rules, dataOf, locate }: RuleSet): readonly Omit<DocumentPut, "expect">[] {
  return [...rules.values()].flatMap(({ key, kind, namespace, name, labels }) => {
    const data = dataOf(key);
    if (typeof data !== "object" || data === null) return [];
    const json = jsonOf(data);
    const { file, line } = locate(key, "");
    const source = file !== undefined && line !== undefined && { source: { file, line } };
    return [{ kind, namespace, name, labels, format: "json", text: json, json, ...source }];
  });
}

const jsonOf = memoize((data: object): string => JSON.stringify(authorsDocument(data)));
