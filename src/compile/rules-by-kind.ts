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

/** The same by the holds that rules are under: those under some are sorted by themselves, so that the others' lists stay what they are. */
export function createRuleSorters(): (rules: Rules, holds: readonly string[]) => RulesByKind {
  const sorters = new Map<string, (rules: Rules) => RulesByKind>();
  return (rules, holds) => {
    const key = holds.join();
    const sorter = sorters.get(key) ?? createRuleSorter();
    // The ones used last are last.
    sorters.delete(key);
    sorters.set(key, sorter);
    const [oldest] = sorters.keys();
    if (sorters.size > maxSorters && oldest !== undefined) sorters.delete(oldest);
    return sorter(rules);
  };
}

/** Sets of holds that are in force at one time are few; those of the past are forgotten. */
const maxSorters = 64;
