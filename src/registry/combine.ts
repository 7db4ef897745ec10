import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import type { Catalog } from "../model/catalog.ts";
import { emptyCatalog } from "../model/catalog.ts";
import { type Hostname, isWithin } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import type { Service, ServiceKey } from "../model/service.ts";
import { shareCatalog } from "./share-catalog.ts";

export interface NamedCatalog {
  readonly registry: string;
  readonly catalog: Catalog;
}

/** A host that a later registry knows too; its service there is left out. */
export interface CatalogConflict {
  readonly host: Hostname;
  /** The registry that defines the host. */
  readonly definedBy: string;
  /** The registry whose service is left out. */
  readonly leftOut: string;
}

export interface CombinedCatalog {
  readonly catalog: Catalog;
  readonly conflicts: readonly CatalogConflict[];
}

export interface CombineOptions {
  /** Hosts (or wildcards) that are the same service in every registry: instances of all registries join. */
  readonly joinHosts?: readonly Hostname[];
  /** The result before; equal parts of it are used again. */
  readonly previous?: Catalog;
}

interface Defined {
  readonly registry: string;
  readonly service: Service;
  readonly instances: readonly Instance[];
}

/**
 * One catalog out of several, in the configured order of their registries: the first that knows a host defines its service.
 * What later ones say of that host joins where the configuration says that it is the same service, else it is a conflict.
 */
export function combineCatalogs(
  inputs: readonly NamedCatalog[],
  { joinHosts = [], previous }: CombineOptions = {},
): CombinedCatalog {
  const byKey = new Map<ServiceKey, Defined>();
  const byHost = new Map<Hostname, Defined>();
  const conflicts: CatalogConflict[] = [];

  for (const { registry, catalog } of inputs) {
    for (const service of catalog.services.values()) {
      const instances = catalog.instances.get(service.key) ?? none;
      const owner = byKey.get(service.key) ?? byHost.get(service.hostname);
      if (owner === undefined || owner.registry === registry) {
        const defined = { registry, service, instances };
        byKey.set(service.key, defined);
        if (owner === undefined) byHost.set(service.hostname, defined);
      } else if (joinHosts.some((pattern) => isWithin(service.hostname, pattern))) {
        const { key } = owner.service;
        const known = byKey.get(key) ?? owner;
        byKey.set(key, { ...known, instances: joined(known.instances, instances, service, known.service) });
      } else {
        conflicts.push({ host: service.hostname, definedBy: owner.registry, leftOut: registry });
      }
    }
  }
  return { catalog: shareCatalog(previous, catalogOf(byKey)), conflicts };
}

const none: readonly Instance[] = [];

function catalogOf(byKey: ReadonlyMap<ServiceKey, Defined>): Catalog {
  if (byKey.size === 0) return emptyCatalog;
  const sorted = [...byKey].sort(([a], [b]) => compareText(a, b));
  return {
    services: new Map(sorted.map(([key, { service }]) => [key, service])),
    instances: new Map(sorted.map(([key, { instances }]) => [key, instances])),
  };
}

/** Remembered, so that a service keeps its list of instances while nothing changes on either side. */
const joined = memoize(
  (own: readonly Instance[], others: readonly Instance[], theirs: Service, ours: Service): readonly Instance[] =>
    [...own, ...others.map((instance) => withPortsOf(instance, theirs, ours))].sort(
      (a, b) => compareText(a.id, b.id) || compareText(a.registry, b.registry),
    ),
);

/** An instance under a service of another registry: what it takes from its own service's port numbers is said explicitly. */
function withPortsOf(instance: Instance, theirs: Service, ours: Service): Instance {
  const ports: Record<string, number> = { ...instance.ports };
  for (const { name, number } of ours.ports) {
    const listens = instance.ports[name] ?? theirs.ports.find((port) => port.name === name)?.number;
    if (listens !== undefined && listens !== number) ports[name] = listens;
  }
  return { ...instance, ports };
}

/** A conflict as a sentence for people. */
export function formatConflict({ host, definedBy, leftOut }: CatalogConflict): {
  readonly message: string;
  readonly hint: string;
} {
  return {
    message: `The host ${host} is known to the registries ${definedBy} and ${leftOut}; what ${leftOut} says of it is left out.`,
    hint: "Rename one of the two, or configure that both are the same service.",
  };
}
