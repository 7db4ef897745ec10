import { OrderedMap } from "../base/ordered-map.ts";
import type { AnyRule, Rule, RuleKey, RuleKind } from "../config/rule.ts";
import { byAge } from "../model/age.ts";

/** All rules, oldest first. */
export type RulesByKind = { readonly [K in RuleKind]: readonly Rule<K>[] };

type Rules = OrderedMap<RuleKey, AnyRule>;

const noRules: RulesByKind = { VirtualService: [], DestinationRule: [], Gateway: [], ServiceEntry: [], Sidecar: [] };

/** Sorts rules, given the ones before: the list of a kind of which nothing changed is the same object. */
export function createRuleSorter(): (rules: Rules) => RulesByKind {
  let last: Rules = OrderedMap.of();
  let sorted = noRules;
  return (rules) => {
    const changes = last.changesTo(rules);
    const gone = new Set(changes.map(({ before }) => before));
    const come = changes.flatMap(({ after }) => after ?? []);
    const kinds = new Set(changes.flatMap(({ before, after }) => [before?.kind ?? [], after?.kind ?? []].flat()));
    const lists = [...kinds].map((kind) => {
      const rest = (sorted[kind] as readonly AnyRule[]).filter((rule) => !gone.has(rule));
      return [kind, [...rest, ...come.filter((rule) => rule.kind === kind)].sort(byAge)] as const;
    });
    last = rules;
    sorted = { ...sorted, ...Object.fromEntries(lists) };
    return sorted;
  };
}
