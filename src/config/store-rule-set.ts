import { OrderedMap } from "../base/ordered-map.ts";
import { shareUnchanged } from "../base/share.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "./rule-set.ts";
import type { StoredDocument } from "./store.ts";
import { decodeStored, type StoredRule } from "./stored-rule.ts";

interface Entry {
  readonly document: RuleDocument;
  /** The last valid version. */
  readonly inForce?: Pick<StoredRule, "locate" | "data"> & { readonly rule: AnyRule };
}

/** The rules of a store's documents, and what is needed to go on from them. */
export interface StoreRules {
  readonly ruleSet: RuleSet;
  readonly entries: OrderedMap<RuleKey, Entry>;
}

export const noStoreRules: StoreRules = { ruleSet: emptyRuleSet, entries: OrderedMap.of() };

/**
 * The rules after some documents changed or went (undefined); only those are decoded. A document with errors is listed as refused
 * while the last valid version of its rule stays in force.
 */
export function nextStoreRules(
  previous: StoreRules,
  changes: ReadonlyMap<RuleKey, StoredDocument | undefined>,
): StoreRules {
  const changed = new Map<RuleKey, Entry | undefined>();
  const changedRules = new Map<RuleKey, AnyRule | undefined>();
  for (const [key, stored] of changes) {
    const before = previous.entries.get(key);
    const entry = stored && nextEntry(before, decodeStored(stored));
    changed.set(key, entry);
    if (entry?.inForce?.rule !== before?.inForce?.rule) changedRules.set(key, entry?.inForce?.rule);
  }
  const sameDocuments = [...changed].every(([key, entry]) => entry?.document === previous.entries.get(key)?.document);
  const entries = previous.entries.with(changed);
  const { ruleSet } = previous;
  const isSame = sameDocuments && changedRules.size === 0;
  return {
    entries,
    ruleSet: ruleSetOf(entries, {
      // Fields may move to other lines without any change of a rule.
      revision: ruleSet.revision + (isSame ? 0 : 1),
      rules: ruleSet.rules.with(changedRules),
      documents: sameDocuments ? ruleSet.documents : [...entries.values()].map(({ document }) => document),
    }),
  };
}

/** On its own, so that what the functions of a set keep in memory is of this set alone. */
function ruleSetOf(entries: StoreRules["entries"], lists: Pick<RuleSet, "revision" | "rules" | "documents">): RuleSet {
  return Object.freeze({
    ...lists,
    documentsOf: (key) => {
      const entry = entries.get(key);
      return entry === undefined ? [] : [entry.document];
    },
    locate: (key, pointer) => entries.get(key)?.inForce?.locate(pointer) ?? { pointer },
    dataOf: (key) => entries.get(key)?.inForce?.data,
  } satisfies RuleSet);
}

function nextEntry(before: Entry | undefined, { document, rule, data, locate }: StoredRule): Entry {
  const inForce =
    rule === undefined ? before?.inForce : { rule: shareUnchanged(before?.inForce?.rule, rule), data, locate };
  return { document: shareUnchanged(before?.document, document), ...(inForce !== undefined && { inForce }) };
}
