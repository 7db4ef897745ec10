import { memoize } from "../base/memo.ts";
import type { Metrics } from "../base/metrics.ts";
import { createMapper } from "../base/ordered-map.ts";
import { createSignal } from "../base/signal.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import type { Instance } from "../model/instance.ts";
import type { Service, ServiceKey } from "../model/service.ts";
import type { RegistrySource, RegistryState } from "./source.ts";

/** One thing added to a registry. The outermost is written first: `metered(holdLastGood(source))`. */
export type Decorator = (source: RegistrySource) => RegistrySource;

/** Once there was a catalog, there is always one. (Health says that it is an old one.) */
export const holdLastGood: Decorator = (source) => derived(source, (next, last) => next ?? last);

/** The same registry under another name, also in what its services and instances say of their origin. */
export function named(name: string): Decorator {
  const renameService = memoize(
    (service: Service): Service => ({ ...service, origin: { kind: "registry", registry: name } }),
  );
  const renameInstances = memoize((instances: readonly Instance[]) => instances.map(renameInstance));
  const renameInstance = memoize((instance: Instance): Instance => ({ ...instance, registry: name }));
  return (source) => {
    const services = createMapper<ServiceKey, Service, Service>(renameService);
    const instances = createMapper<ServiceKey, readonly Instance[], readonly Instance[]>(renameInstances);
    const rename = (next: Catalog): Catalog => ({
      services: services(next.services),
      instances: instances(next.instances),
    });
    return { ...derived(source, (next) => next && rename(next)), name };
  };
}

const states: readonly RegistryState[] = ["INITIAL", "LIVE", "SUSPECT", "OUTAGE"];

/** Counts what registries report, and what is served of them. Made once a process: the metrics are labelled with each registry's name. */
export function createRegistryMeter(metrics: Metrics): <S extends RegistrySource>(source: S) => S {
  const services = metrics.gauge("fairway_registry_services", "Services in the registry's catalog.", ["registry"]);
  const instances = metrics.gauge("fairway_registry_instances", "Instances in the registry's catalog.", ["registry"]);
  const catalogs = metrics.counter("fairway_registry_catalogs_total", "Catalogs taken from the registry.", [
    "registry",
  ]);
  const problems = metrics.gauge("fairway_registry_problems", "Problems in what the registry reports now.", [
    "registry",
  ]);
  const state = metrics.gauge("fairway_registry_state", "1 for the state that the registry is in.", [
    "registry",
    "state",
  ]);
  const held = metrics.gauge(
    "fairway_registry_held_instances",
    "Instances served as before, whatever is reported of them now.",
    ["registry"],
  );
  const onHold = metrics.gauge("fairway_registry_on_hold", "1 while an operator lets nothing go.", ["registry"]);
  const asOf = metrics.gauge(
    "fairway_registry_catalog_timestamp_seconds",
    "Of when the registry's catalog is, in seconds since 1970, while it is not of now.",
    ["registry"],
  );

  return (source) => {
    const registry = source.name;
    let last = emptyCatalog;
    let total = 0;
    const countCatalog = (catalog: Catalog | undefined) => {
      const next = catalog ?? emptyCatalog;
      for (const { before = [], after = [] } of last.instances.changesTo(next.instances)) {
        total += after.length - before.length;
      }
      last = next;
      services.set({ registry }, next.services.size);
      instances.set({ registry }, total);
      if (catalog !== undefined) catalogs.inc({ registry });
    };
    const countHealth = (health: RegistrySource["health"]["value"]) => {
      for (const name of states) state.set({ registry, state: name }, Number(name === health.state));
      problems.set({ registry }, health.problems.length);
      held.set({ registry }, health.withheld?.instances ?? 0);
      onHold.set({ registry }, Number(health.hold !== undefined));
      if (health.asOf === undefined) asOf.remove({ registry });
      else asOf.set({ registry }, health.asOf / 1_000);
    };
    countCatalog(source.catalog.value);
    countHealth(source.health.value);
    const stops = [source.catalog.subscribe(countCatalog), source.health.subscribe(countHealth)];
    return closing(source, () => {
      for (const stop of stops) stop();
    });
  };
}

/** A source with another catalog, made of each new one and the last one made. */
function derived(
  source: RegistrySource,
  make: (next: Catalog | undefined, last: Catalog | undefined) => Catalog | undefined,
): RegistrySource {
  const catalog = createSignal(make(source.catalog.value, undefined));
  const stop = source.catalog.subscribe((next) => catalog.set(make(next, catalog.value)));
  return closing({ ...source, catalog }, stop);
}

const closing = <S extends RegistrySource>(source: S, stop: () => void): S => ({
  ...source,
  close: async () => {
    stop();
    await source.close();
  },
});
