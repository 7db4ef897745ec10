import type { Change } from "../../base/ordered-map.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { Instance } from "../../model/instance.ts";
import type { Service, ServiceKey } from "../../model/service.ts";

/** Where the newcomers of a report are. */
export interface Arrivals {
  /** By address: the ports on which new instances listen there. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<number>>;
  /** What clients of new services dial. */
  readonly addresses: ReadonlySet<string>;
}

/** Who came back to a service that still had it is no newcomer. */
export function arrivalsIn(
  lists: readonly Change<ServiceKey, readonly Instance[]>[],
  services: readonly Change<ServiceKey, Service>[],
  served: Catalog,
  reported: Catalog,
): Arrivals {
  const endpoints = new Map<string, Set<number>>();
  for (const { key, after = [] } of lists) {
    const service = reported.services.get(key);
    if (service === undefined) continue;
    const known = new Set((served.instances.get(key) ?? []).map(({ id }) => id));
    for (const instance of after) {
      if (known.has(instance.id)) continue;
      const ports = endpoints.get(instance.address) ?? new Set();
      for (const port of portsOf(instance, service)) ports.add(port);
      endpoints.set(instance.address, ports);
    }
  }
  const addresses = services.flatMap(({ key, after }) =>
    after === undefined || served.services.has(key) ? [] : after.addresses,
  );
  return { endpoints, addresses: new Set(addresses) };
}

export function isTaken(instance: Instance, service: Service, endpoints: Arrivals["endpoints"]): boolean {
  const taken = endpoints.get(instance.address);
  return taken !== undefined && portsOf(instance, service).some((port) => taken.has(port));
}

const portsOf = ({ ports }: Instance, service: Service): readonly number[] =>
  service.ports.map(({ name, number }) => ports[name] ?? number);
