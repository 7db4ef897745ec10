import { compareText } from "../base/compare-text.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type { Instance } from "./instance.ts";
import type { Service, ServiceKey } from "./service.ts";

/**
 * Services and instances as the registries report them; immutable. Parts that did not change from one catalog to the
 * next are the same objects.
 */
export interface Catalog {
  readonly services: OrderedMap<ServiceKey, Service>;
  /** In the order of their ids; a service without instances may be missing. */
  readonly instances: OrderedMap<ServiceKey, readonly Instance[]>;
}

export const emptyCatalog: Catalog = { services: OrderedMap.of(), instances: OrderedMap.of() };

export interface CatalogEntry {
  readonly service: Service;
  readonly instances: readonly Instance[];
}

/** Makes a catalog; the order of the entries and of their instances does not matter. */
export function createCatalog(entries: Iterable<CatalogEntry>): Catalog {
  const all = [...entries];
  return {
    services: OrderedMap.of(all.map(({ service }) => [service.key, service])),
    instances: OrderedMap.of(all.map(({ service, instances }) => [service.key, instances.toSorted(byId)])),
  };
}

const byId = (a: Instance, b: Instance): number => compareText(a.id, b.id);
