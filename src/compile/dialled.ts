import { memoize } from "../base/memo.ts";
import { addressOf, formatAddress } from "../model/address-bits.ts";
import type { Catalog } from "../model/catalog.ts";
import { isWildcard, parseHostname } from "../model/hostname.ts";
import { addressesOf, type Instance, listensOn } from "../model/instance.ts";
import { familiesOf, isOfFamilies } from "../model/ip-families.ts";
import { isSingle, type Network, parseNetwork } from "../model/network.ts";
import { proxiedPort } from "../model/port.ts";
import type { ProxyNode } from "../model/proxy.ts";
import type { Service } from "../model/service.ts";
import { isAlias } from "./aliases.ts";
import { portOf } from "./endpoints.ts";
import { profileOf } from "./profile.ts";
import { createRuleSorter } from "./rules-by-kind.ts";
import { addingEntries, createServiceTables, findNamedService, type ServiceTable } from "./service-table.ts";
import { rulesUnderHolds, type World } from "./world.ts";

/** What becomes of a name that an application dials. */
export interface Dialled {
  /** Absent: nobody here knows it. */
  readonly address?: string;
  /** How that came about, as words that a sentence may begin with: `reviews.shop.svc.cluster.local has the address 10.96.0.1`. */
  readonly found: string;
}

/** A port of the workload that clients know by another name. */
export interface WorkloadPort {
  /** That the workload listens on. */
  readonly port: number;
  readonly found: string;
}

/** The workload beside a proxy, in one world. */
export interface Workload {
  readonly addresses: readonly string[];
  /** The address that it dials for a name, as its resolver would complete it. */
  readonly lookUp: (name: string) => Dialled;
  /** What clients reach of it by the name and port of a service; undefined where it is no instance of that. */
  readonly portFor: (name: string, port: number) => WorkloadPort | undefined;
}

export function workloadIn(world: World, node: ProxyNode): Workload {
  const { addresses } = node;
  // Most questions ask for no name.
  const services = (): ServiceTable => tableFor(world, node);
  const serviceNamed = (name: string): Service | undefined => findNamed(services(), name, node);
  const instancesOf = ({ key, origin }: Service): readonly Instance[] =>
    (origin.kind === "rule" ? services().entryInstances : world.catalog.instances).get(key) ?? [];
  return {
    addresses,
    lookUp: (name) => {
      const named = serviceNamed(name);
      if (named === undefined) return { found: `no registry knows ${name}` };
      const { service, passed } = standsFor(named, services(), node);
      const told = passed.map(({ hostname, aliasOf }) => `${hostname} stands for ${aliasOf}`);
      if (service === undefined)
        return { found: `${told.join(", ")}, which leads to no service that a registry knows` };
      const dialled = addressDialled(service, instancesOf(service), addresses);
      return { ...dialled, found: [...told, dialled.found].join(", ") };
    },
    portFor: (name, number) => {
      const named = serviceNamed(name);
      const service = named && standsFor(named, services(), node).service;
      const port = service && proxiedPort(service.ports, number);
      if (service === undefined || port === undefined) return undefined;
      const own = instancesOf(service).find(
        (one) => listensOn(one, port) && addressesOf(one).some((address) => addresses.includes(address)),
      );
      if (own === undefined) return undefined;
      const target = portOf(own, port);
      return { port: target, found: `${service.hostname}:${number} is port ${target} of the workload` };
    },
  };
}

/* Names */

/** Those of the last world asked for, so that the next table is made of what changed. */
const sorted = createRuleSorter();
const tables = createServiceTables();
const table = memoize((services: Catalog["services"], rules: World["rules"]) =>
  tables(services, addingEntries(sorted(rules).ServiceEntry)),
);

const tableFor = (world: World, node: ProxyNode): ServiceTable =>
  table(world.catalog.services, rulesUnderHolds(world, profileOf(world, node).holds));

function findNamed(services: ServiceTable, name: string, { dnsDomain, namespace }: ProxyNode): Service | undefined {
  for (const tried of namesTried(name, dnsDomain)) {
    const host = parseHostname(tried);
    const found = host === undefined || isWildcard(host) ? undefined : findNamedService(services, host, namespace);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The service that a name leads to, and the aliases on the way there. A resolver follows an alias of an alias, too, and no cycle. */
function standsFor(
  named: Service,
  services: ServiceTable,
  { namespace }: ProxyNode,
): { readonly service: Service | undefined; readonly passed: readonly Service[] } {
  const passed: Service[] = [];
  let service: Service | undefined = named;
  while (service?.aliasOf !== undefined && !passed.includes(service)) {
    passed.push(service);
    service = findNamedService(services, service.aliasOf, namespace);
  }
  return { service: service && isAlias(service) ? undefined : service, passed };
}

/** As it stands, then completed by each domain that the workload searches. */
function namesTried(name: string, dnsDomain: string): readonly string[] {
  if (name.endsWith(".")) return [name];
  const labels = dnsDomain.split(".");
  const searched = labels[1] === "svc" ? [0, 1, 2].map((from) => labels.slice(from).join(".")) : [dnsDomain];
  return [name, ...searched.filter((domain) => domain !== "").map((domain) => `${name}.${domain}`)];
}

/* Addresses */

function addressDialled(service: Service, instances: readonly Instance[], own: readonly string[]): Dialled {
  const { hostname: host, addresses, resolution } = service;
  const families = familiesOf(own);
  const isOurs = (address: string): boolean => isOfFamilies(families, address);
  const [network] = addresses.filter(isOurs).flatMap((text) => parseNetwork(text) ?? []);
  if (network !== undefined) {
    const address = addressIn(network);
    const found = isSingle(network)
      ? `has the address ${address}`
      : `has the network ${network.address}/${network.prefix}, in which ${address} is`;
    return { address, found: `${host} ${found}` };
  }
  if (addresses.length > 0) return { found: `${host} has no address of a family that the proxy has` };
  if (resolution !== "original-destination") return { found: `${host} has no address that a registry knows` };
  const there = instances.flatMap(addressesOf).filter(isOurs);
  const address = there.find((one) => !own.includes(one)) ?? there[0];
  return address === undefined
    ? { found: `${host} has neither an address nor instances` }
    : { address, found: `${host} has no address of its own; ${address} is one of its instances` };
}

/** Itself, or the first one that somebody may have. */
function addressIn(network: Network): string {
  const { family, bits } = addressOf(network.address);
  return formatAddress({ family, bits: isSingle(network) ? bits : bits + 1n });
}
