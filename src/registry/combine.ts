import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { OrderedMap, shareEntries } from "../base/ordered-map.ts";
import { type Catalog, emptyCatalog } from "../model/catalog.ts";
import { type Hostname, isWithin } from "../model/hostname.ts";
import type { Instance } from "../model/instance.ts";
import type { Service, ServiceKey } from "../model/service.ts";

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
  /** How it was put together, and of what: in the order of the registries. */
  readonly plan: Plan;
  readonly inputs: readonly Catalog[];
}

export interface CombineOptions {
  /** Hosts (or wildcards) that are the same service in every registry: instances of all registries join. */
  readonly joinHosts?: readonly Hostname[];
  /** The result before, of the same registries and `joinHosts`; what is made of the same objects is used again. */
  readonly previous?: CombinedCatalog;
}

/** Who defines what. It depends on the services alone, which change far less often than their instances. */
export interface Plan {
  readonly services: OrderedMap<ServiceKey, Planned>;
  /** Of each input, the services that join another one, and which. */
  readonly joins: readonly ReadonlyMap<ServiceKey, ServiceKey>[];
  readonly conflicts: readonly CatalogConflict[];
}

/** A service and where its instances come from. */
interface Planned extends Source {
  readonly joined: readonly Source[];
}

/** A service of the input with this index. */
interface Source {
  readonly input: number;
  readonly service: Service;
}

/**
 * One catalog out of several, in the configured order of their registries: the first that knows a host defines its service.
 * What later ones say of that host joins where the configuration says that it is the same service, else it is a conflict.
 * What the inputs share with those before, the result shares too; nothing is compared but by identity. Where the services are the
 * same, the work is in proportion to the lists of instances that differ.
 */
export function combineCatalogs(
  named: readonly NamedCatalog[],
  { joinHosts = [], previous }: CombineOptions = {},
): CombinedCatalog {
  const inputs = named.map(({ catalog }) => catalog);
  const instancesOf = ({ input, service }: Source) => inputs[input]?.instances.get(service.key) ?? none;
  const listOf = (planned: Planned) =>
    planned.joined.reduce(
      (list, source) => joined(list, instancesOf(source), source.service, planned.service),
      instancesOf(planned),
    );
  const before = previous?.catalog ?? emptyCatalog;
  const plan = previous !== undefined && hasSameServices(previous, inputs) ? previous.plan : planOf(named, joinHosts);
  const isKnown = plan === previous?.plan;
  const touched = isKnown ? touchedServices(previous, inputs) : plan.services.keys();
  const lists = [...touched].flatMap((key) => {
    const planned = plan.services.get(key);
    return planned === undefined ? [] : [[key, listOf(planned)] as const];
  });
  const services = isKnown ? before.services : shareEntries(before.services, servicesOf(plan));
  const instances = isKnown ? before.instances.with(lists) : shareEntries(before.instances, OrderedMap.of(lists));
  const isSame = services === before.services && instances === before.instances;
  return { catalog: isSame ? before : { services, instances }, conflicts: plan.conflicts, plan, inputs };
}

const servicesOf = ({ services }: Plan): OrderedMap<ServiceKey, Service> =>
  OrderedMap.of(services.entries().map(([key, { service }]) => [key, service]));

const hasSameServices = (previous: CombinedCatalog, inputs: readonly Catalog[]): boolean =>
  previous.inputs.length === inputs.length &&
  inputs.every(({ services }, index) => services === previous.inputs[index]?.services);

/** The services whose list of instances may differ. */
function touchedServices({ inputs: before, plan }: CombinedCatalog, inputs: readonly Catalog[]): Set<ServiceKey> {
  const touched = inputs.flatMap(({ instances }, index) =>
    (before[index]?.instances.changesTo(instances) ?? []).map(({ key }) => plan.joins[index]?.get(key) ?? key),
  );
  return new Set(touched);
}

function planOf(inputs: readonly NamedCatalog[], joinHosts: readonly Hostname[]): Plan {
  const byKey = new Map<ServiceKey, Planned>();
  const byHost = new Map<Hostname, ServiceKey>();
  const joins = inputs.map(() => new Map<ServiceKey, ServiceKey>());
  const conflicts: CatalogConflict[] = [];
  for (const [input, { registry, catalog }] of inputs.entries()) {
    for (const service of catalog.services.values()) {
      const key = byKey.has(service.key) ? service.key : (byHost.get(service.hostname) ?? service.key);
      const owner = byKey.get(key);
      if (owner === undefined || owner.input === input) {
        byKey.set(service.key, { input, service, joined: [] });
        if (owner === undefined) byHost.set(service.hostname, service.key);
      } else if (joinHosts.some((pattern) => isWithin(service.hostname, pattern))) {
        byKey.set(key, { ...owner, joined: [...owner.joined, { input, service }] });
        joins[input]?.set(service.key, key);
      } else {
        const definedBy = inputs[owner.input]?.registry ?? "";
        conflicts.push({ host: service.hostname, definedBy, leftOut: registry });
      }
    }
  }
  return { services: OrderedMap.of(byKey), joins, conflicts };
}

const none: readonly Instance[] = [];

/** Remembered, so that a service keeps its list of instances while nothing changes on either side. */
const joined = memoize(
  (own: readonly Instance[], others: readonly Instance[], theirs: Service, ours: Service): readonly Instance[] =>
    [...own, ...others.map((instance) => withPortsOf(instance, theirs, ours))].sort(
      (a, b) => compareText(a.id, b.id) || compareText(a.registry, b.registry),
    ),
);

/** An instance under a service of another registry: what it takes from its own service's port numbers is said explicitly. */
const withPortsOf = memoize((instance: Instance, theirs: Service, ours: Service): Instance => {
  const ports: Record<string, number> = { ...instance.ports };
  for (const { name, number } of ours.ports) {
    const listens = instance.ports[name] ?? theirs.ports.find((port) => port.name === name)?.number;
    if (listens !== undefined && listens !== number) ports[name] = listens;
  }
  return { ...instance, ports };
});

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
