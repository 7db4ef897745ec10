import { selectorText, selects } from "../../model/labels.ts";
import type { Check } from "./references.ts";

/** Subsets that select none of the instances that their host has. A host without any instance says nothing. */
export const checkEmptySubsets: Check = ({ destinationRules, hosts, hostOf }) =>
  destinationRules.flatMap((rule) => {
    const host = hostOf(rule, rule.spec.host);
    const instances = host === undefined ? [] : (hosts.get(host) ?? []);
    if (instances.length === 0) return [];
    return rule.spec.subsets.flatMap(({ name, labels }, index) => {
      if (instances.some((instance) => selects(labels, instance))) return [];
      return [
        {
          rule: rule.key,
          pointer: `/spec/subsets/${index}/labels`,
          code: "rule/empty-subset",
          message: `The subset ${name} (${selectorText(labels)}) selects none of the ${instances.length} instances of ${host}.`,
          hint: "Compare the labels with those of the instances.",
        },
      ];
    });
  });
