import { memoize } from "../base/memo.ts";
import type { OrderedMap } from "../base/ordered-map.ts";
import type { AnyRule, RuleKey } from "../config/rule.ts";
import type { RuleSet } from "../config/rule-set.ts";
import type { Catalog } from "../model/catalog.ts";
import type { Hold } from "../model/hold.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";

/** A hold together with the rule as it was at the held revision; no rule: it did not exist then. */
export interface HeldRule {
  readonly hold: Hold;
  readonly rule?: AnyRule;
}

/** Everything that a proxy's configuration follows from, frozen at one moment. Unchanged parts keep their identity. */
export interface World {
  readonly catalog: Catalog;
  readonly rules: OrderedMap<RuleKey, AnyRule>;
  readonly holds: readonly HeldRule[];
  readonly mesh: MeshSettings;
  /** The rule revision this world was made from; it names the world and does not matter to what is compiled. */
  readonly revision: number;
}

export function createWorld(
  catalog: Catalog,
  ruleSet: Pick<RuleSet, "rules" | "revision">,
  holds: readonly HeldRule[],
  mesh: MeshSettings,
): World {
  return Object.freeze({ catalog, rules: ruleSet.rules, holds, mesh, revision: ruleSet.revision });
}

/** The rules as the members of some holds' cohorts see them; the world's own map where nothing is held. */
export const rulesUnderHolds = (
  { rules, holds }: Pick<World, "rules" | "holds">,
  ids: readonly string[],
): OrderedMap<RuleKey, AnyRule> => (ids.length === 0 ? rules : held(rules, holds, ...ids));

/** One map for all who are under the same holds. */
const held = memoize((rules: World["rules"], holds: World["holds"], ...ids: readonly string[]) =>
  rules.with(
    holds.flatMap(({ hold, rule }) =>
      ids.includes(hold.id) ? [[rule?.key ?? (hold.rule as RuleKey), rule] as const] : [],
    ),
  ),
);
