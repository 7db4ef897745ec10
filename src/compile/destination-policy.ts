import type { Subset, TrafficPolicy } from "../config/kinds/destination-rule.ts";
import type { Rule } from "../config/rule.ts";
import type { Origin } from "../envoy/provenance.ts";
import { byAge } from "../model/age.ts";
import type { Hostname } from "../model/hostname.ts";
import { isWildcard, mostSpecific } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import { expandHost } from "./hosts.ts";

type DestinationRule = Rule<"DestinationRule">;

/** What the DestinationRules of one host in one namespace say together. */
export interface DestinationPolicy {
  readonly trafficPolicy?: { readonly policy: TrafficPolicy; readonly origin: Origin };
  /** First definition of each name. */
  readonly subsets: readonly { readonly subset: Subset; readonly origin: Origin }[];
}

/** DestinationRules by namespace and host, oldest first. */
export type DestinationIndex = ReadonlyMap<string, NamespaceRules>;

interface NamespaceRules {
  readonly byHost: Map<Hostname, DestinationRule[]>;
  /** Few, mostly: each is compared with each service. */
  readonly wildcards: Hostname[];
}

export function indexDestinationRules(rules: readonly DestinationRule[], mesh: MeshSettings): DestinationIndex {
  const index = new Map<string, NamespaceRules>();
  for (const rule of [...rules].sort(byAge)) {
    const host = expandHost(rule.spec.host, rule.namespace, mesh);
    if (host === undefined) continue;
    const rulesThere: NamespaceRules = index.get(rule.namespace) ?? { byHost: new Map(), wildcards: [] };
    index.set(rule.namespace, rulesThere);
    const { byHost, wildcards } = rulesThere;
    const known = byHost.get(host);
    if (known === undefined && isWildcard(host)) wildcards.push(host);
    byHost.set(host, [...(known ?? []), rule]);
  }
  return index;
}

/**
 * The rules that a client in `namespace` follows for a service: the first of client's, service's and root namespace that has
 * any for it decides alone; within it the most specific host.
 */
export function destinationRulesFor(
  index: DestinationIndex,
  service: Service,
  namespace: string,
  mesh: MeshSettings,
): readonly DestinationRule[] {
  const levels = [service.namespace, mesh.rootNamespace];
  // What a root namespace says is for everybody, and so comes last for its own proxies too.
  if (namespace !== mesh.rootNamespace) levels.unshift(namespace);
  for (const level of levels) {
    const rules = index.get(level);
    if (rules === undefined) continue;
    const { byHost, wildcards } = rules;
    const host = byHost.has(service.hostname) ? service.hostname : mostSpecific(service.hostname, wildcards);
    const found = host === undefined ? undefined : byHost.get(host);
    if (found !== undefined) return found;
  }
  return [];
}

/** Subsets add up, the first of each name counts; the first traffic policy wins. Rules are given oldest first. */
export function mergeDestinationRules(...rules: readonly DestinationRule[]): DestinationPolicy | undefined {
  if (rules.length === 0) return undefined;
  const subsets = new Map<string, DestinationPolicy["subsets"][number]>();
  for (const rule of rules) {
    for (const [index, subset] of rule.spec.subsets.entries()) {
      if (subsets.has(subset.name)) continue;
      subsets.set(subset.name, { subset, origin: { kind: "rule", rule: rule.key, pointer: `/spec/subsets/${index}` } });
    }
  }
  const withPolicy = rules.find(({ spec }) => spec.trafficPolicy !== undefined);
  const policy = withPolicy?.spec.trafficPolicy;
  return {
    ...(withPolicy && policy
      ? { trafficPolicy: { policy, origin: { kind: "rule", rule: withPolicy.key, pointer: "/spec/trafficPolicy" } } }
      : {}),
    subsets: [...subsets.values()],
  };
}
