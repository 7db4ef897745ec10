import { compareText } from "../base/compare-text.ts";
import type { Rule } from "../config/rule.ts";
import { byAge } from "../model/age.ts";
import type { Catalog, CatalogEntry } from "../model/catalog.ts";
import type { Hostname } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import type { Service, ServiceKey } from "../model/service.ts";

/** Every service of a world, those of its ServiceEntries included. A host name may stand in several namespaces. */
export interface ServiceTable {
  /** Host names in order; the services of each in the order in which they win for a client without one of its own. */
  readonly byHost: ReadonlyMap<Hostname, readonly Service[]>;
  readonly entryInstances: ReadonlyMap<ServiceKey, readonly Instance[]>;
}

/**
 * Joins the registries' services with those of ServiceEntries (given with what they add). A registry wins over a ServiceEntry
 * of the same namespace and host, so that nobody takes over a platform's service by writing a rule; then the oldest wins.
 */
export function createServiceTable(
  services: Catalog["services"],
  entries: readonly { readonly rule: Rule<"ServiceEntry">; readonly adds: readonly CatalogEntry[] }[],
): ServiceTable {
  const all = new Map(services);
  const entryInstances = new Map<ServiceKey, readonly Instance[]>();
  for (const { adds } of [...entries].sort((a, b) => byAge(a.rule, b.rule))) {
    for (const { service, instances } of adds) {
      if (all.has(service.key)) continue;
      all.set(service.key, service);
      entryInstances.set(service.key, instances);
    }
  }
  const byHost = new Map<Hostname, Service[]>();
  for (const service of [...all.values()].sort(byPrecedence)) {
    byHost.set(service.hostname, [...(byHost.get(service.hostname) ?? []), service]);
  }
  return { byHost, entryInstances };
}

function byPrecedence(a: Service, b: Service): number {
  return (
    compareText(a.hostname, b.hostname) ||
    Number(a.origin.kind === "rule") - Number(b.origin.kind === "rule") ||
    a.createdAt - b.createdAt ||
    compareText(a.namespace, b.namespace)
  );
}

/** The service that a client in `namespace` means by `host`: its own namespace's, else the first in precedence. */
export function findService(table: ServiceTable, host: Hostname, namespace: string): Service | undefined {
  const candidates = table.byHost.get(host) ?? [];
  return candidates.find((service) => service.namespace === namespace) ?? candidates[0];
}
