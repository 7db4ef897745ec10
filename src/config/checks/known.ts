import { memoize } from "../../base/memo.ts";
import type { Catalog } from "../../model/catalog.ts";
import { type Hostname, isWildcard, isWithin, parseHostname } from "../../model/hostname.ts";
import type { Labels } from "../../model/labels.ts";
import type { MeshSettings } from "../../model/mesh-settings.ts";
import type { AnyRule, Rule, RuleKey } from "../rule.ts";
import { referencesOf } from "./references.ts";

/** Some rules by their keys. */
export interface RuleLookup {
  readonly has: (key: RuleKey) => boolean;
  readonly values: () => Iterable<AnyRule>;
}

/** What there is to refer to. */
export interface Known {
  readonly hasHost: (host: Hostname) => boolean;
  /** Every host that has a service, by registry or ServiceEntry. */
  readonly hosts: () => Iterable<Hostname>;
  /** The labels of each instance of a host; the same list for the same catalog, where no ServiceEntry has a part in it. */
  readonly instancesOf: (host: Hostname) => readonly Labels[];
  /** The subsets that DestinationRules define for a host, in the order of the rules' keys, exact hosts before wildcards. */
  readonly subsetsOf: (host: Hostname) => readonly string[];
  readonly hasGateway: (key: RuleKey) => boolean;
  /** `namespace/name` of each. */
  readonly gateways: () => readonly string[];
}

type InstancesByHost = ReadonlyMap<Hostname, readonly Labels[]>;

const noHosts: InstancesByHost = new Map();
const noInstances: readonly Labels[] = Object.freeze([]);

/**
 * What the rules and the catalog provide, in one pass over the rules. Without a catalog nobody can say what hosts there are:
 * all of them, then, and no instances. `isAsked`: the hosts whose subsets will be asked for, to save time.
 */
export function knownOf(
  rules: RuleLookup,
  catalog: Catalog | undefined,
  { domain }: Pick<MeshSettings, "domain">,
  isAsked: (host: Hostname) => boolean = () => true,
): Known {
  const registered = catalog === undefined ? noHosts : registeredHosts(catalog);
  const entries = new Map<Hostname, Labels[]>();
  const destinationRules = new Map<Hostname, Rule<"DestinationRule">[]>();
  for (const rule of rules.values()) {
    if (rule.kind === "ServiceEntry") {
      for (const host of entryHosts(rule)) {
        const labels = listOf(entries, host);
        for (const endpoint of rule.spec.endpoints) labels.push(endpoint.labels);
      }
    } else if (rule.kind === "DestinationRule") {
      const host = destinationRuleHost(rule, domain);
      if (host !== undefined && (isWildcard(host) || isAsked(host))) listOf(destinationRules, host).push(rule);
    }
  }
  const subsets = new Map<Hostname, readonly string[]>();
  const wildcards = [...destinationRules.keys()].filter(isWildcard);
  let hosts: ReadonlySet<Hostname> | undefined;
  return {
    hasHost: (host) => catalog === undefined || registered.has(host) || entries.has(host),
    hosts: () => {
      hosts ??= new Set([...registered.keys(), ...entries.keys()]);
      return hosts;
    },
    instancesOf: (host) => {
      const ofEntries = entries.get(host);
      const ofRegistries = registered.get(host) ?? noInstances;
      if (catalog === undefined) return noInstances;
      return ofEntries === undefined ? ofRegistries : [...ofRegistries, ...ofEntries];
    },
    subsetsOf: (host) => {
      const found = subsets.get(host);
      if (found !== undefined) return found;
      const made = [host, ...wildcards.filter((wildcard) => wildcard !== host && isWithin(host, wildcard))]
        .flatMap((covering) => destinationRules.get(covering) ?? [])
        .flatMap(({ spec }) => spec.subsets.map(({ name }) => name));
      subsets.set(host, made);
      return made;
    },
    hasGateway: (key) => rules.has(key),
    gateways: () => {
      const names: string[] = [];
      for (const { kind, namespace, name } of rules.values())
        if (kind === "Gateway") names.push(`${namespace}/${name}`);
      return names;
    },
  };
}

/** The hosts of a ServiceEntry that are host names. */
export const entryHosts: (rule: Rule<"ServiceEntry">) => readonly Hostname[] = memoize((rule) =>
  rule.spec.hosts.flatMap((text) => parseHostname(text) ?? []),
);

/** Whom a DestinationRule speaks of. */
export function destinationRuleHost(rule: Rule<"DestinationRule">, domain: string): Hostname | undefined {
  const [reference] = referencesOf(rule, domain);
  return reference?.target.kind === "host" ? reference.target.host : undefined;
}

const registeredHosts: (catalog: Catalog) => InstancesByHost = memoize((catalog) => {
  const hosts = new Map<Hostname, Labels[]>();
  for (const [key, { hostname }] of catalog.services) {
    const labels = listOf(hosts, hostname);
    for (const instance of catalog.instances.get(key) ?? []) labels.push(instance.labels);
  }
  return hosts;
});

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const found = lists.get(key);
  if (found !== undefined) return found;
  const made: V[] = [];
  lists.set(key, made);
  return made;
}
