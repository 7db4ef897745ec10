import type { FamilyPlan } from "./capture-plan.ts";
import { noRouting, routingChanges } from "./routing-state.ts";
import { plannedTables, tableNames } from "./table-state.ts";

const restore = { ipv4: "iptables-restore --noflush", ipv6: "ip6tables-restore --noflush" } as const;

/** A plan for people, each rule with its reason; the tables can be given to `iptables-restore` as they are. */
export function planText(plan: FamilyPlan): string {
  const commands = routingChanges(plan.family, noRouting, plan.routing);
  const tables = plannedTables(plan.rules);
  return [
    `# ${plan.family}: ${restore[plan.family]}`,
    ...tableNames.flatMap((table) => {
      const rules = plan.rules.filter((rule) => rule.table === table);
      if (rules.length === 0) return [];
      return [
        `*${table}`,
        ...tables[table].chains.map((chain) => `:${chain} - [0:0]`),
        ...rules.flatMap(({ chain, args, why }) => [`# ${why}`, `-A ${chain} ${args.join(" ")}`]),
        "COMMIT",
      ];
    }),
    ...commands.map((command) => `# ip ${command.join(" ")}`),
    "",
  ].join("\n");
}

/** The same for programs. */
export const planView = (plan: FamilyPlan): unknown => ({
  family: plan.family,
  rules: plan.rules,
  commands: routingChanges(plan.family, noRouting, plan.routing).map((command) => ["ip", ...command]),
});
