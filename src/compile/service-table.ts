import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type { Rule } from "../config/rule.ts";
import { byAge } from "../model/age.ts";
import type { Catalog, CatalogEntry } from "../model/catalog.ts";
import type { Hostname } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import { isVisibleIn, type Service, type ServiceKey } from "../model/service.ts";
import { servicesOfEntry } from "./service-entry.ts";

/** Every service of a world, those of its ServiceEntries included. A host name may stand in several namespaces. */
export interface ServiceTable {
  /** Host names in order; the services of each in the order in which they win for a client without one of its own. */
  readonly byHost: OrderedMap<Hostname, readonly Service[]>;
  readonly entryInstances: ReadonlyMap<ServiceKey, readonly Instance[]>;
}

/** A ServiceEntry with what it adds. */
export interface AddingEntry {
  readonly rule: Rule<"ServiceEntry">;
  readonly adds: readonly CatalogEntry[];
}

/** The same list for the same entries. */
export const addingEntries = memoize((rules: readonly Rule<"ServiceEntry">[]): readonly AddingEntry[] =>
  rules.map((rule) => ({ rule, adds: servicesOfEntry(rule) })),
);

/**
 * Joins the registries' services with those of ServiceEntries. A registry wins over a ServiceEntry of the same namespace and host, so that
 * nobody takes over a platform's service by writing a rule; then the oldest wins. Of the same entries, the next table is the last one
 * with what changed: `entries` is compared by identity.
 */
export function createServiceTables(): (
  services: Catalog["services"],
  entries: readonly AddingEntry[],
) => ServiceTable {
  let last: { readonly of: Catalog["services"]; readonly added: Added; readonly table: ServiceTable } | undefined;
  const addedBy = memoize(servicesAdded);
  return (services, entries) => {
    const added = addedBy(entries);
    const table = last?.added === added ? edited(last.table, last.of, services, added) : newTable(services, added);
    last = { of: services, added, table };
    return table;
  };
}

type Added = ReadonlyMap<ServiceKey, CatalogEntry>;

/** What ServiceEntries add: the oldest one's, where several add the same. */
export function servicesAdded(entries: readonly AddingEntry[]): Added {
  const added = new Map<ServiceKey, CatalogEntry>();
  for (const { adds } of [...entries].sort((a, b) => byAge(a.rule, b.rule))) {
    for (const entry of adds) if (!added.has(entry.service.key)) added.set(entry.service.key, entry);
  }
  return added;
}

function newTable(services: Catalog["services"], added: Added): ServiceTable {
  const all = [...services.values(), ...[...added.values()].map(({ service }) => service)];
  const byHost = Map.groupBy(
    all.filter((service) => service.origin.kind !== "rule" || !services.has(service.key)),
    ({ hostname }) => hostname,
  );
  return {
    byHost: OrderedMap.of([...byHost].map(([host, list]) => [host, list.sort(byPrecedence)])),
    entryInstances: new Map([...added].map(([key, { instances }]) => [key, instances])),
  };
}

/** The services of the hosts that are touched are looked at again. */
function edited(
  { byHost, entryInstances }: ServiceTable,
  before: Catalog["services"],
  after: Catalog["services"],
  added: Added,
): ServiceTable {
  const next = new Map<Hostname, readonly Service[]>();
  for (const { key, before: old, after: present } of before.changesTo(after)) {
    const inForce = present ?? added.get(key)?.service;
    for (const host of new Set([old, inForce].flatMap((service) => service?.hostname ?? []))) {
      const others = (next.get(host) ?? byHost.get(host) ?? []).filter((service) => service.key !== key);
      next.set(host, inForce?.hostname === host ? [...others, inForce].sort(byPrecedence) : others);
    }
  }
  const changed = [...next].map(([host, list]) => [host, list.length === 0 ? undefined : list] as const);
  return { byHost: byHost.with(changed), entryInstances };
}

function byPrecedence(a: Service, b: Service): number {
  return (
    compareText(a.hostname, b.hostname) ||
    Number(a.origin.kind === "rule") - Number(b.origin.kind === "rule") ||
    a.createdAt - b.createdAt ||
    compareText(a.namespace, b.namespace)
  );
}

/** The service that a client in `namespace` means by `host`: its own namespace's, else the first in precedence, of those that it may see. */
export const findService = (table: ServiceTable, host: Hostname, namespace: string): Service | undefined =>
  preferred(
    table.byHost.get(host)?.filter((service) => isVisibleIn(service, namespace)),
    namespace,
  );

/** The one that a resolver leads the client to: names are everybody's. */
export const findNamedService = (table: ServiceTable, host: Hostname, namespace: string): Service | undefined =>
  preferred(table.byHost.get(host), namespace);

const preferred = (candidates: readonly Service[] = [], namespace: string): Service | undefined =>
  candidates.find((service) => service.namespace === namespace) ?? candidates[0];
