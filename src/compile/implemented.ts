import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { OrderedMap } from "../base/ordered-map.ts";
import type { AnyRule } from "../config/rule.ts";
import type { Catalog } from "../model/catalog.ts";
import { addressesOf, type Instance, listensOn } from "../model/instance.ts";
import { isProxied, type ServicePort } from "../model/port.ts";
import type { Service, ServiceKey } from "../model/service.ts";
import { portOf } from "./endpoints.ts";
import { type AddingEntry, addingEntries, servicesAdded } from "./service-table.ts";
import type { World } from "./world.ts";

/** A port of a service that a workload is an instance of. */
export interface ImplementedPort {
  readonly service: ServiceKey;
  /** The number that clients call. */
  readonly port: number;
  /** The number that the workload listens on. */
  readonly target: number;
}

/**
 * What the instances at some addresses implement, in the order of services and ports, each once; by what the registries say, and the
 * ServiceEntries in `rules`. Of what proxies do not carry nobody has to know.
 */
export function portsImplemented(
  { catalog, rules }: Pick<World, "catalog" | "rules">,
  addresses: readonly string[],
): readonly ImplementedPort[] {
  const known = instancesByAddress(catalog.instances);
  const added = entriesByAddress(rules);
  const all = addresses.flatMap((address) => [
    ...[...(known.get(address) ?? [])].flatMap(([key, instances]) =>
      implementedBy(key, catalog.services.get(key)?.ports ?? [], instances),
    ),
    ...(added.get(address) ?? [])
      .filter(({ service }) => !catalog.services.has(service.key))
      .flatMap(({ service, instance }) => implementedBy(service.key, service.ports, [instance])),
  ]);
  const unique = new Map(all.map((one) => [`${one.service} ${one.port} ${one.target}`, one]));
  return [...unique.values()].sort(
    (a, b) => compareText(a.service, b.service) || a.port - b.port || a.target - b.target,
  );
}

/** What the registries say of the workload at some addresses: its instance of the first service, whichever came first. */
export function workloadAt({ instances }: Catalog, addresses: readonly string[]): Instance | undefined {
  const known = instancesByAddress(instances);
  const there = addresses.flatMap((address) => [...(known.get(address) ?? [])]);
  const [[, [first] = []] = []] = there.sort(([a], [b]) => compareText(a, b));
  return first;
}

const implementedBy = (
  service: ServiceKey,
  ports: readonly ServicePort[],
  instances: readonly Instance[],
): readonly ImplementedPort[] =>
  instances.flatMap((instance) =>
    ports
      .filter((port) => isProxied(port.protocol) && listensOn(instance, port))
      .map((port) => ({ service, port: port.number, target: portOf(instance, port) })),
  );

type ByAddress = Map<string, Map<ServiceKey, Instance[]>>;

/** The index follows from one catalog to the next by what changed; it is to be read at once. */
const instancesByAddress: (instances: Catalog["instances"]) => ByAddress = createAddressIndex();

function createAddressIndex(): (instances: Catalog["instances"]) => ByAddress {
  let last: Catalog["instances"] = OrderedMap.of();
  const index: ByAddress = new Map();
  return (instances) => {
    for (const { key, before = [], after = [] } of last.changesTo(instances)) {
      for (const address of before.flatMap(addressesOf)) {
        const there = index.get(address);
        there?.delete(key);
        if (there?.size === 0) index.delete(address);
      }
      for (const instance of after) {
        for (const address of addressesOf(instance)) {
          const there = index.get(address) ?? new Map<ServiceKey, Instance[]>();
          const list = there.get(key);
          if (list === undefined) index.set(address, there.set(key, [instance]));
          else list.push(instance);
        }
      }
    }
    last = instances;
    return index;
  };
}

const addsOf = (rules: Iterable<AnyRule>): readonly AddingEntry[] =>
  addingEntries([...rules].filter((rule) => rule.kind === "ServiceEntry"));

/** Made once for each set of rules. */
const entriesByKey = memoize((rules: World["rules"]) => servicesAdded(addsOf(rules.values())));

const entriesByAddress = memoize((rules: World["rules"]) => {
  const all = [...entriesByKey(rules).values()].flatMap(({ service, instances }) =>
    instances.map((instance) => ({ service, instance })),
  );
  return Map.groupBy(all, ({ instance }) => instance.address);
});

/** What ServiceEntries would add, whether it is in force for all, for some or for nobody. */
const everyEntryByKey = memoize((rules: World["rules"], holds: World["holds"]) => {
  const all = addsOf([...rules.values(), ...holds.flatMap(({ rule }) => rule ?? [])]).flatMap(({ adds }) => adds);
  return Map.groupBy(all, ({ service }) => service.key);
});

/** A service that something implements. */
export const findImplemented = (
  { catalog, rules }: Pick<World, "catalog" | "rules">,
  key: ServiceKey,
): Service | undefined => catalog.services.get(key) ?? entriesByKey(rules).get(key)?.service;

/** The addresses at which something else may be implemented in one catalog than in another, under the same rules. */
export function addressesTouched(
  before: Catalog,
  { catalog: after, rules, holds }: Pick<World, "catalog" | "rules" | "holds">,
): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const { before: old = [], after: present = [] } of before.instances.changesTo(after.instances)) {
    const kept = new Set(present);
    const known = new Set(old);
    const differing = [...old.filter((one) => !kept.has(one)), ...present.filter((one) => !known.has(one))];
    for (const address of differing.flatMap(addressesOf)) touched.add(address);
  }
  for (const { key, before: old, after: present } of before.services.changesTo(after.services)) {
    // A ServiceEntry of its name is in force as long as it is not there.
    const entries = old && present ? [] : (everyEntryByKey(rules, holds).get(key) ?? []);
    const members = entries.flatMap(({ instances }) => instances);
    const all = [...(before.instances.get(key) ?? []), ...(after.instances.get(key) ?? []), ...members];
    for (const address of all.flatMap(addressesOf)) touched.add(address);
  }
  return touched;
}
