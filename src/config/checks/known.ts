import { memoize } from "../../base/memo.ts";
import type { Catalog } from "../../model/catalog.ts";
import { type Hostname, isWithin } from "../../model/hostname.ts";
import type { Labels } from "../../model/labels.ts";
import type { AnyRule, Rule, RuleKey } from "../rule.ts";
import type { Providers } from "./providers.ts";

/** Some rules by their keys. */
export interface RuleLookup {
  readonly has: (key: RuleKey) => boolean;
  readonly values: () => Iterable<AnyRule>;
}

/** What there is to refer to. */
export interface Known {
  /** Also a name that stands for another, where that is known. */
  readonly hasHost: (host: Hostname) => boolean;
  /** The host that a name stands for, as a registry has it. */
  readonly aliasOf: (host: Hostname) => Hostname | undefined;
  /** Every host that has a service, by registry or ServiceEntry, and every alias; what is several of these comes several times. */
  readonly hosts: () => Iterable<Hostname>;
  /** The labels of each instance of a host; the same list for the same catalog and ServiceEntries. */
  readonly instancesOf: (host: Hostname) => readonly Labels[];
  /** The subsets that DestinationRules define for a host, or for the one that it stands for: those of the host itself, then those of wildcards. */
  readonly subsetsOf: (host: Hostname) => readonly string[];
  readonly hasGateway: (key: RuleKey) => boolean;
  /** `namespace/name` of each. */
  readonly gateways: () => readonly string[];
}

type InstancesByHost = ReadonlyMap<Hostname, readonly Labels[]>;

const noHosts: InstancesByHost = new Map();
const noAliases: ReadonlyMap<Hostname, Hostname> = new Map();
const noInstances: readonly Labels[] = Object.freeze([]);

/**
 * What the rules and the catalog provide. Without a catalog nobody can say what hosts there are: all of them, then, and no
 * instances.
 */
export function knownOf(
  rules: RuleLookup,
  { entries, destinationRules, wildcards }: Providers,
  catalog: Catalog | undefined,
): Known {
  const registered = catalog === undefined ? noHosts : registeredHosts(catalog);
  const aliases = catalog === undefined ? noAliases : registeredAliases(catalog);
  const subsets = new Map<Hostname, readonly string[]>();
  const hasService = (host: Hostname): boolean => registered.has(host) || entries.has(host);
  const aliasOf = (host: Hostname): Hostname | undefined => (hasService(host) ? undefined : aliases.get(host));
  return {
    hasHost: (host) => catalog === undefined || hasService(aliasOf(host) ?? host),
    aliasOf,
    *hosts() {
      yield* registered.keys();
      yield* entries.keys();
      yield* aliases.keys();
    },
    instancesOf: (host) => {
      const ofRegistries = registered.get(host) ?? noInstances;
      const ofEntries = entries.get(host);
      if (catalog === undefined) return noInstances;
      return ofEntries === undefined ? ofRegistries : withEndpoints(ofRegistries, ofEntries);
    },
    subsetsOf: (name) => {
      const host = aliasOf(name) ?? name;
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

const withEndpoints = memoize((instances: readonly Labels[], entries: readonly Rule<"ServiceEntry">[]) => [
  ...instances,
  ...entries.flatMap(({ spec }) => spec.endpoints.map(({ labels }) => labels)),
]);

const registeredHosts: (catalog: Catalog) => InstancesByHost = memoize((catalog) => {
  const hosts = new Map<Hostname, Labels[]>();
  for (const [key, { hostname, aliasOf }] of catalog.services) {
    if (aliasOf !== undefined) continue;
    const labels = hosts.get(hostname) ?? [];
    hosts.set(hostname, labels);
    for (const instance of catalog.instances.get(key) ?? []) labels.push(instance.labels);
  }
  return hosts;
});

/** What names that are aliases stand for. */
const registeredAliases: (catalog: Catalog) => ReadonlyMap<Hostname, Hostname> = memoize(
  ({ services }) =>
    new Map(
      [...services.values()].flatMap(({ hostname, aliasOf }) =>
        aliasOf === undefined ? [] : [[hostname, aliasOf] as const],
      ),
    ),
);
