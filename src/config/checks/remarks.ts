import type { AnyRule } from "../rule.ts";
import type { Remark } from "./dangling.ts";
import { emptySubsets } from "./empty-subset.ts";
import { rulesOfAliases } from "./host-is-alias.ts";
import type { Known } from "./known.ts";
import { portsWithoutAddress } from "./port-without-address.ts";

/** What is told of a rule beside its references; it stands in no change's way. */
export const remarksOn = (rule: AnyRule, known: Known, domain: string): readonly Remark[] => [
  ...emptySubsets(rule, known, domain),
  ...rulesOfAliases(rule, known, domain),
  ...portsWithoutAddress(rule),
];
