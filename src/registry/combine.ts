import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
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
  /** How it was put together. */
  readonly plan: Plan;
}

export interface CombineOptions {
  /** Hosts (or wildcards) that are the same service in every registry: instances of all registries join. */
  readonly joinHosts?: readonly Hostname[];
  /** The result before, of the same registries and `joinHosts`; what is made of the same objects is used again. */
  readonly previous?: CombinedCatalog;
}

/** Who defines what. It depends on the services alone, which change far less often than their instances. */
export interface Plan {
  /** The services of each input that it is made of. */
  readonly inputs: readonly Catalog["services"][];
  /** In the order of their keys. */
  readonly services: ReadonlyMap<ServiceKey, Planned>;
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
 * What the inputs share with those before, the result shares too; nothing is compared but by identity.
 */
export function combineCatalogs(
  inputs: readonly NamedCatalog[],
  { joinHosts = [], previous }: CombineOptions = {},
): CombinedCatalog {
  const known = previous?.plan;
  const plan = isPlanOf(known, inputs) ? known : planOf(inputs, joinHosts);
  const instancesOf = ({ input, service }: Source) => inputs[input]?.catalog.instances.get(service.key) ?? none;
  const listOf = (planned: Planned) =>
    planned.joined.reduce(
      (list, source) => joined(list, instancesOf(source), source.service, planned.service),
      instancesOf(planned),
    );
  const { services, instances } = previous?.catalog ?? emptyCatalog;
  const catalog: Catalog = {
    services: plan === known ? services : mapOf(plan.services, ({ service }) => service, services),
    instances: mapOf(plan.services, listOf, instances),
  };
  const isSame = previous !== undefined && catalog.services === services && catalog.instances === instances;
  return { catalog: isSame ? previous.catalog : catalog, conflicts: plan.conflicts, plan };
}

const isPlanOf = (plan: Plan | undefined, inputs: readonly NamedCatalog[]): plan is Plan =>
  plan?.inputs.length === inputs.length && inputs.every(({ catalog }, i) => catalog.services === plan.inputs[i]);

function planOf(inputs: readonly NamedCatalog[], joinHosts: readonly Hostname[]): Plan {
  const byKey = new Map<ServiceKey, Planned>();
  const byHost = new Map<Hostname, ServiceKey>();
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
      } else {
        const definedBy = inputs[owner.input]?.registry ?? "";
        conflicts.push({ host: service.hostname, definedBy, leftOut: registry });
      }
    }
  }
  const services = new Map([...byKey].sort(([a], [b]) => compareText(a, b)));
  return { inputs: inputs.map(({ catalog }) => catalog.services), services, conflicts };
}

const none: readonly Instance[] = [];

/** The map of what is made of each entry; `previous` itself where that has the same. */
function mapOf<K, V, R>(
  entries: ReadonlyMap<K, V>,
  make: (value: V) => R,
  previous: ReadonlyMap<K, R>,
): ReadonlyMap<K, R> {
  const made = new Map<K, R>();
  // The order of two maps of the same keys is the same: both have that of their keys.
  let isSame = entries.size === previous.size;
  for (const [key, value] of entries) {
    const item = make(value);
    isSame &&= item === previous.get(key);
    made.set(key, item);
  }
  return isSame ? previous : made;
}

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
