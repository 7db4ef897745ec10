import { formatHostPort } from "../../base/host-port.ts";
import type { Change } from "../../base/ordered-map.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { Instance } from "../../model/instance.ts";
import type { Service, ServiceKey } from "../../model/service.ts";

/** Where the newcomers of a report are. */
export interface Arrivals {
  /** `address:port` on which new instances listen. */
  readonly endpoints: ReadonlySet<string>;
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
  const endpoints = lists.flatMap(({ key, after = [] }) => {
    const service = reported.services.get(key);
    if (service === undefined) return [];
    const known = new Set((served.instances.get(key) ?? []).map(({ id }) => id));
    return after.filter(({ id }) => !known.has(id)).flatMap((instance) => endpointsOf(instance, service));
  });
  const addresses = services.flatMap(({ key, after }) =>
    after === undefined || served.services.has(key) ? [] : after.addresses,
  );
  return { endpoints: new Set(endpoints), addresses: new Set(addresses) };
}

export const isTaken = (instance: Instance, service: Service, { endpoints }: Arrivals): boolean =>
  endpoints.size > 0 && endpointsOf(instance, service).some((endpoint) => endpoints.has(endpoint));

const endpointsOf = ({ address, ports }: Instance, service: Service): readonly string[] =>
  service.ports.map(({ name, number }) => formatHostPort({ host: address, port: ports[name] ?? number }));
