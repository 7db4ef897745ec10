import { compareText } from "../base/compare-text.ts";
import type { Instance } from "./instance.ts";
import type { Service, ServiceKey } from "./service.ts";

/**
 * Services and instances as the registries report them; immutable. Parts that did not change from one catalog to the
 * next are the same objects.
 */
export interface Catalog {
  /** In the order of their keys. */
  readonly services: ReadonlyMap<ServiceKey, Service>;
  /** In the order of their ids; a service without instances may be missing. */
  readonly instances: ReadonlyMap<ServiceKey, readonly Instance[]>;
}

export const emptyCatalog: Catalog = { services: new Map(), instances: new Map() };

export interface CatalogEntry {
  readonly service: Service;
  readonly instances: readonly Instance[];
}

/** Makes a catalog; the order of the entries and of their instances does not matter. */
export function createCatalog(entries: Iterable<CatalogEntry>): Catalog {
  const sorted = [...entries].sort((a, b) => compareText(a.service.key, b.service.key));
  return {
    services: new Map(sorted.map(({ service }) => [service.key, service])),
    instances: new Map(
      sorted.map(({ service, instances }) => [service.key, [...instances].sort((a, b) => compareText(a.id, b.id))]),
    ),
  };
}
