import { memoize } from "../base/memo.ts";
import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { danglingReferences, danglingRemark } from "./checks/dangling.ts";
import { emptySubsets } from "./checks/empty-subset.ts";
import { knownOf } from "./checks/known.ts";
import type { Finding } from "./finding.ts";
import type { RuleKey } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

/** A finding about a rule that is in force. */
export interface RuleFinding extends Finding {
  readonly rule: RuleKey;
}

/**
 * References of the rules in force that lead nowhere, as warnings: what they point to may be on its way, and until then requests
 * are answered with 503. In the order of the rules, then of the checks. Remembered for the same inputs.
 */
export const checkReferences: (
  ruleSet: Pick<RuleSet, "rules" | "locate">,
  catalog: Catalog,
  mesh: MeshSettings,
) => readonly RuleFinding[] = memoize(({ rules, locate }, catalog, mesh) => {
  const known = knownOf(rules, catalog, mesh);
  const findings: RuleFinding[] = [];
  for (const rule of rules.values()) {
    const remarks = [
      ...danglingReferences(rule, known, mesh.domain).map((reference, index) =>
        danglingRemark(reference, known, findings.length + index),
      ),
      ...emptySubsets(rule, known, mesh.domain),
    ];
    for (const { pointer, ...remark } of remarks) {
      findings.push({ ...remark, severity: "warning", rule: rule.key, ...locate(rule.key, pointer) });
    }
  }
  return findings;
});
