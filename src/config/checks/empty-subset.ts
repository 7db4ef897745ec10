import { memoize } from "../../base/memo.ts";
import type { Hostname } from "../../model/hostname.ts";
import { type Labels, selectorText, selects } from "../../model/labels.ts";
import type { AnyRule, Rule } from "../rule.ts";
import type { Remark } from "./dangling.ts";
import type { Known } from "./known.ts";
import { destinationRuleHost } from "./providers.ts";

/** Subsets that select none of the instances that their host has. A host without any instance says nothing. */
export function emptySubsets(rule: AnyRule, known: Known, domain: string): readonly Remark[] {
  if (rule.kind !== "DestinationRule" || rule.spec.subsets.length === 0) return none;
  const host = destinationRuleHost(rule, domain);
  return host === undefined ? none : subsetsWithout(rule, known.instancesOf(host), host);
}

const none: readonly Remark[] = Object.freeze([]);

const subsetsWithout: (
  rule: Rule<"DestinationRule">,
  instances: readonly Labels[],
  host: Hostname,
) => readonly Remark[] = memoize((rule, instances, host) => {
  if (instances.length === 0) return none;
  return rule.spec.subsets.flatMap(({ name, labels }, index): readonly Remark[] => {
    if (instances.some((instance) => selects(labels, instance))) return none;
    return [
      {
        pointer: `/spec/subsets/${index}/labels`,
        code: "rule/empty-subset",
        message: `The subset ${name} (${selectorText(labels)}) selects none of the ${instances.length} instances of ${host}.`,
        hint: "Compare the labels with those of the instances.",
      },
    ];
  });
});
