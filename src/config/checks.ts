import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { checkEmptySubsets } from "./checks/empty-subset.ts";
import { type Check, referencesOf } from "./checks/references.ts";
import { checkUnknownGateways } from "./checks/unknown-gateway.ts";
import { checkUnknownHosts } from "./checks/unknown-host.ts";
import { checkUnknownSubsets } from "./checks/unknown-subset.ts";
import type { Finding } from "./finding.ts";
import type { RuleKey } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

/** What is looked at across rules and services, in the order in which a reader wants to hear of it. */
const checks: readonly Check[] = Object.freeze([
  checkUnknownHosts,
  checkUnknownSubsets,
  checkUnknownGateways,
  checkEmptySubsets,
]);

/** A finding about a rule that is in force. */
export interface RuleFinding extends Finding {
  readonly rule: RuleKey;
}

/**
 * References of the rules in force that lead nowhere, as warnings: what they point to may be on its way, and until then requests
 * are answered with 503. Sorted by rule, then by check.
 */
export function checkReferences(
  ruleSet: Pick<RuleSet, "rules" | "locate">,
  catalog: Catalog,
  mesh: MeshSettings,
): readonly RuleFinding[] {
  const references = referencesOf(ruleSet.rules, catalog, mesh);
  return checks
    .flatMap((check) => check(references))
    .map(
      ({ rule, pointer, ...dangling }): RuleFinding => ({
        ...dangling,
        severity: "warning",
        rule,
        ...ruleSet.locate(rule, pointer),
      }),
    )
    .sort((a, b) => Number(a.rule > b.rule) - Number(a.rule < b.rule));
}
