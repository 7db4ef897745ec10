import { expandShortName, type Hostname, parseHostname } from "../../model/hostname.ts";
import type { AnyRule } from "../rule.ts";
import type { Remark } from "./dangling.ts";
import type { Known } from "./known.ts";

/**
 * Rules that speak of a name which stands for a service: calls to the alias are calls to the service, and follow the rules that speak of
 * that.
 */
export const rulesOfAliases = (rule: AnyRule, known: Known, domain: string): readonly Remark[] =>
  hostsIn(rule).flatMap(({ text, pointer }): readonly Remark[] => {
    const host = parseHostname(expandShortName(text, rule.namespace, domain));
    const target = host && aliasedBy(host, known);
    if (target === undefined) return [];
    return [
      {
        pointer,
        code: "rule/host-is-alias",
        message: `${host} stands for ${target}: what this rule says of it has no effect.`,
        hint: `Write ${target}.`,
      },
    ];
  });

/** Of an alias that leads nowhere nothing is to be said here. */
const aliasedBy = (host: Hostname, known: Known): Hostname | undefined =>
  known.hasHost(host) ? known.aliasOf(host) : undefined;

interface PlacedHost {
  readonly text: string;
  readonly pointer: string;
}

/** The hosts whose calls a rule is about; those of gateways are names of their own. */
function hostsIn(rule: AnyRule): readonly PlacedHost[] {
  if (rule.kind === "DestinationRule") return [{ text: rule.spec.host, pointer: "/spec/host" }];
  if (rule.kind !== "VirtualService" || !rule.spec.gateways.includes("mesh")) return [];
  return rule.spec.hosts.map((text, index) => ({ text, pointer: `/spec/hosts/${index}` }));
}
