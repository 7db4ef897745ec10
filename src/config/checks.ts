import { memoize } from "../base/memo.ts";
import type { Catalog } from "../model/catalog.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { danglingReferences, danglingRemark } from "./checks/dangling.ts";
import { type Known, knownOf } from "./checks/known.ts";
import { providersOf } from "./checks/providers.ts";
import { remarksOn } from "./checks/remarks.ts";
import type { Finding } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

/** A finding about a rule that is in force. */
export interface RuleFinding extends Finding {
  readonly rule: RuleKey;
}

type CheckedRules = Pick<RuleSet, "rules" | "locate">;

/**
 * References of the rules in force that lead nowhere, as warnings: what they point to may be on its way, and until then requests
 * are answered with 503. Then what else is to be remarked on. In the order of the rules, then of the checks. Remembered for the same
 * inputs.
 */
export const checkReferences: (ruleSet: CheckedRules, catalog: Catalog, mesh: MeshSettings) => readonly RuleFinding[] =
  memoize((ruleSet, catalog, mesh) => {
    const known = knownIn(ruleSet, catalog, mesh);
    const findings: RuleFinding[] = [];
    for (const rule of ruleSet.rules.values()) {
      findings.push(...findingsOf(rule, ruleSet, { known, mesh, before: findings.length }));
    }
    return findings;
  });

/** The same of one of the rules; costs nothing for the others where what they provide is known. */
export const checkReferencesOf = (
  rule: AnyRule,
  ruleSet: CheckedRules,
  catalog: Catalog,
  mesh: MeshSettings,
): readonly RuleFinding[] => findingsOf(rule, ruleSet, { known: knownIn(ruleSet, catalog, mesh), mesh, before: 0 });

const knownIn = memoize(({ rules }: CheckedRules, catalog: Catalog, mesh: MeshSettings) =>
  knownOf(rules, providersOf(rules, mesh.domain), catalog),
);

interface Checking {
  readonly known: Known;
  readonly mesh: MeshSettings;
  /** How many findings were told before these. */
  readonly before: number;
}

function findingsOf(
  rule: AnyRule,
  { locate }: CheckedRules,
  { known, mesh, before }: Checking,
): readonly RuleFinding[] {
  const remarks = [
    ...danglingReferences(rule, known, mesh.domain).map((reference, index) =>
      danglingRemark(reference, known, before + index),
    ),
    ...remarksOn(rule, known, mesh.domain),
  ];
  return remarks.map(({ pointer, ...remark }) => ({
    ...remark,
    severity: "warning",
    rule: rule.key,
    ...locate(rule.key, pointer),
  }));
}
