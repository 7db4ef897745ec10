import type { JsonPointer } from "../../base/json-pointer.ts";
import type { Catalog } from "../../model/catalog.ts";
import { expandShortName, type Hostname, isWildcard, isWithin, parseHostname } from "../../model/hostname.ts";
import type { Labels } from "../../model/labels.ts";
import type { MeshSettings } from "../../model/mesh-settings.ts";
import type { FindingCode } from "../finding.ts";
import type { AnyRule, Rule, RuleKey } from "../rule.ts";
import { rulesOfKind } from "../rule-set.ts";

/** What a check may look at. */
export interface References {
  readonly rules: ReadonlyMap<RuleKey, AnyRule>;
  readonly virtualServices: readonly Rule<"VirtualService">[];
  readonly destinationRules: readonly Rule<"DestinationRule">[];
  /** Every host that has a service, by registry or ServiceEntry, with the labels of each of its instances. */
  readonly hosts: ReadonlyMap<Hostname, readonly Labels[]>;
  /** A host as a rule means it; undefined when it is no host name (an IP address). */
  readonly hostOf: (rule: AnyRule, host: string) => Hostname | undefined;
  /** The DestinationRules that speak of a host, in the order of their keys. */
  readonly destinationRulesOf: (host: Hostname) => readonly Rule<"DestinationRule">[];
}

/** A reference that leads nowhere. */
export interface Dangling {
  readonly rule: RuleKey;
  readonly pointer: JsonPointer;
  readonly code: FindingCode;
  readonly message: string;
  readonly hint?: string;
}

export type Check = (references: References) => readonly Dangling[];

export function referencesOf(rules: ReadonlyMap<RuleKey, AnyRule>, catalog: Catalog, mesh: MeshSettings): References {
  const hostOf = (rule: AnyRule, host: string) => parseHostname(expandShortName(host, rule.namespace, mesh.domain));
  const destinationRules = rulesOfKind(rules.values(), "DestinationRule");
  const byHost = Map.groupBy(destinationRules, (rule) => hostOf(rule, rule.spec.host));
  const wildcards = [...byHost.keys()].filter((host) => host !== undefined && isWildcard(host));
  return {
    rules,
    virtualServices: rulesOfKind(rules.values(), "VirtualService"),
    destinationRules,
    hosts: hostsOf(rules, catalog),
    hostOf,
    destinationRulesOf: (host) =>
      [host, ...wildcards.filter((wildcard) => wildcard !== undefined && isWithin(host, wildcard))].flatMap(
        (covering) => byHost.get(covering) ?? [],
      ),
  };
}

function hostsOf(rules: ReadonlyMap<RuleKey, AnyRule>, catalog: Catalog): ReadonlyMap<Hostname, readonly Labels[]> {
  const hosts = new Map<Hostname, Labels[]>();
  const add = (host: Hostname, instances: readonly { readonly labels: Labels }[]) => {
    const labels = hosts.get(host) ?? [];
    hosts.set(host, labels);
    for (const instance of instances) labels.push(instance.labels);
  };
  for (const [key, { hostname }] of catalog.services) add(hostname, catalog.instances.get(key) ?? []);
  for (const { spec } of rulesOfKind(rules.values(), "ServiceEntry")) {
    for (const text of spec.hosts) {
      const host = parseHostname(text);
      if (host !== undefined) add(host, spec.endpoints);
    }
  }
  return hosts;
}
