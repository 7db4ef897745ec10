import type { JsonPointer } from "../base/json-pointer.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type { Finding, Place } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";

/** One document as a store read it, with the verdict on it. */
export interface RuleDocument {
  /** As written; empty where the document does not say. */
  readonly kind: string;
  /** As written; `default` for a rule that has none. */
  readonly namespace: string;
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  /** `refused`: it has errors and is not in force (its last valid version is, when there was one). */
  readonly verdict: "valid" | "warned" | "refused";
  readonly findings: readonly Finding[];
}

/**
 * All rules in force at one revision; immutable. Rules that did not change from one revision to the next are the same
 * objects, also when their documents moved to another line or file.
 */
export interface RuleSet {
  /** Counts up with every change of any rule or document; 0 is the empty beginning. */
  readonly revision: number;
  readonly rules: OrderedMap<RuleKey, AnyRule>;
  /** Every document read, valid or not. */
  readonly documents: readonly RuleDocument[];
  /** Those of one rule, the one that counts first. A rule may be in force without any: when its file cannot be read now. */
  readonly documentsOf: (rule: RuleKey) => readonly RuleDocument[];
  /** Line and column of a field of a rule in force; only the pointer when the rule did not come from text. */
  readonly locate: (rule: RuleKey, pointer: JsonPointer) => Place;
  /** The document of a rule in force, as plain data: the same object until that document changes. */
  readonly dataOf: (rule: RuleKey) => unknown;
}

export const emptyRuleSet: RuleSet = {
  revision: 0,
  rules: OrderedMap.of(),
  documents: [],
  documentsOf: () => [],
  locate: (_rule, pointer) => ({ pointer }),
  dataOf: () => undefined,
};

/** Where the field of a rule in force stands, without the pointer that it was asked by. */
export const placesIn =
  ({ locate }: Pick<RuleSet, "locate">): ((rule: string, pointer: JsonPointer) => Omit<Place, "pointer">) =>
  (rule, pointer) => {
    const { pointer: _, ...place } = locate(rule as RuleKey, pointer);
    return place;
  };
