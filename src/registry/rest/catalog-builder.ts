import { compareText } from "../../base/compare-text.ts";
import { shareUnchanged } from "../../base/share.ts";
import { type Catalog, emptyCatalog } from "../../model/catalog.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { Instance } from "../../model/instance.ts";
import { type Service, type ServiceKey, serviceKey } from "../../model/service.ts";
import { resolutionOf } from "../catalog-format.ts";
import type { ServiceRecord } from "./records.ts";

/** A registered service as it is now. */
export interface CurrentService {
  readonly record: ServiceRecord;
  readonly instance: (id: string) => Instance | undefined;
  /** Some instance has a host name for an address. */
  readonly hasNames: boolean;
}

/** Makes catalogs one after the other; the work is in proportion to the services that were touched. */
export interface CatalogBuilder {
  readonly touchService: (host: Hostname) => void;
  readonly touchInstance: (host: Hostname, id: string) => void;
  /** The catalog as it is now; the same object as before when nothing changed. */
  readonly build: () => Catalog;
}

interface Built {
  readonly service: Service;
  /** In the order of their ids. */
  readonly instances: readonly Instance[];
}

export function createCatalogBuilder(
  registry: string,
  current: (host: Hostname) => CurrentService | undefined,
): CatalogBuilder {
  const built = new Map<Hostname, Built>();
  const touched = new Map<Hostname, Set<string>>();
  let catalog = emptyCatalog;

  const touch = (host: Hostname): Set<string> => {
    const ids = touched.get(host) ?? new Set();
    touched.set(host, ids);
    return ids;
  };

  const rebuild = (host: Hostname, ids: ReadonlySet<string>): Built | undefined => {
    const service = current(host);
    if (service === undefined) return undefined;
    const before = built.get(host);
    return {
      service: shareUnchanged(before?.service, serviceOf(service, registry)),
      instances: patchInstances(before?.instances ?? [], new Map([...ids].map((id) => [id, service.instance(id)]))),
    };
  };

  return {
    touchService: touch,
    touchInstance: (host, id) => {
      touch(host).add(id);
    },
    build: () => {
      const services = new Map<ServiceKey, Service | undefined>();
      const instances = new Map<ServiceKey, readonly Instance[] | undefined>();
      for (const [host, ids] of touched) {
        const before = built.get(host);
        const after = rebuild(host, ids);
        if (before !== undefined && before.service.key !== after?.service.key) {
          services.set(before.service.key, undefined);
          instances.set(before.service.key, undefined);
        }
        if (after === undefined) built.delete(host);
        else {
          built.set(host, after);
          services.set(after.service.key, after.service);
          instances.set(after.service.key, after.instances);
        }
      }
      touched.clear();
      catalog = patchCatalog(catalog, services, instances);
      return catalog;
    },
  };
}

function serviceOf({ record, hasNames }: CurrentService, registry: string): Service {
  const { host, namespace, addresses, ports, external, registered } = record;
  return {
    key: serviceKey(namespace, host),
    hostname: host,
    namespace,
    addresses,
    ports,
    resolution: resolutionOf(record, hasNames),
    external,
    createdAt: registered.at,
    origin: { kind: "registry", registry },
  };
}

function patchCatalog(
  catalog: Catalog,
  services: ReadonlyMap<ServiceKey, Service | undefined>,
  instances: ReadonlyMap<ServiceKey, readonly Instance[] | undefined>,
): Catalog {
  const next = { services: catalog.services.with(services), instances: catalog.instances.with(instances) };
  return next.services === catalog.services && next.instances === catalog.instances ? catalog : next;
}

function patchInstances(
  before: readonly Instance[],
  changes: ReadonlyMap<string, Instance | undefined>,
): readonly Instance[] {
  const after = patchSorted(
    before.map((item) => [item.id, item] as const),
    changes,
  ).map(([, item]) => item);
  return after.length === before.length && after.every((item, i) => item === before[i]) ? before : after;
}

/** Entries in the order of their keys, with the changes put in; undefined takes one out. */
function patchSorted<K extends string, V>(
  before: Iterable<readonly [K, V]>,
  changes: ReadonlyMap<K, V | undefined>,
): readonly (readonly [K, V])[] {
  const added = new Map(changes);
  const entries: (readonly [K, V])[] = [];
  const add = (key: K, value: V | undefined): void => {
    if (value !== undefined) entries.push([key, value]);
  };
  for (const [key, value] of before) {
    if (added.delete(key)) add(key, changes.get(key));
    else entries.push([key, value]);
  }
  const known = entries.length;
  for (const [key, value] of added) add(key, value);
  return entries.length === known ? entries : entries.sort(([a], [b]) => compareText(a, b));
}
