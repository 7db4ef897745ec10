import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { httpProxyRouteName } from "../envoy/names.ts";
import type { Reference, Resource } from "../envoy/resource-set.ts";
import { type Route, type VirtualHost, VirtualHostSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { resourceOf } from "./resource.ts";

/** A table of virtual hosts. A port in the Host header does not matter, but to a proxy that is told no other; names are in order. */
export function routeTable(name: string, virtualHosts: readonly VirtualHost[]): RouteConfiguration {
  return create(RouteConfigurationSchema, {
    name,
    virtualHosts: withUniqueDomains([...virtualHosts].sort((a, b) => compareText(a.name, b.name))),
    ignorePortInHostMatching: name !== httpProxyRouteName,
    validateClusters: false,
  });
}

/** The same as a resource. It is put together from its virtual hosts, each of which is encoded once, whatever tables have it. */
export function compileRouteTable(name: string, virtualHosts: readonly VirtualHost[]): Resource {
  const table = routeTable(name, virtualHosts);
  const writer = new BinaryWriter();
  writer.tag(RouteConfigurationSchema.field.name.number, WireType.LengthDelimited).string(name);
  for (const host of table.virtualHosts) {
    writer.tag(RouteConfigurationSchema.field.virtualHosts.number, WireType.LengthDelimited).bytes(encodeHost(host));
  }
  // All other fields have higher numbers than these two.
  writer.raw(toBinary(RouteConfigurationSchema, { ...table, name: "", virtualHosts: [] }));
  return resourceOf("RDS", name, writer.finish(), table, clusterReferences(table));
}

const encodeHost = memoize((host: VirtualHost) => toBinary(VirtualHostSchema, host));

/**
 * Envoy refuses a table that names a domain twice. A full name keeps its domain before another service's short form of the same
 * text; among equals the first virtual host keeps it.
 */
function withUniqueDomains(virtualHosts: readonly VirtualHost[]): VirtualHost[] {
  const owners = new Map<string, VirtualHost>();
  for (const host of virtualHosts)
    if (host.domains[0] !== undefined && !owners.has(host.domains[0])) owners.set(host.domains[0], host);
  for (const host of virtualHosts) {
    for (const domain of host.domains) if (!owners.has(domain)) owners.set(domain, host);
  }
  return virtualHosts.flatMap((host) => {
    const domains = host.domains.filter((domain) => owners.get(domain) === host);
    if (domains.length === host.domains.length) return [host];
    return domains.length === 0 ? [] : [withDomains(host, domains)];
  });
}

/** A copy that keeps the notes of provenance. */
function withDomains(host: VirtualHost, domains: readonly string[]): VirtualHost {
  return Object.create(Object.getPrototypeOf(host), {
    ...Object.getOwnPropertyDescriptors(host),
    domains: { value: domains, enumerable: true },
  });
}

/** Each once. Tables of other namespaces have mostly the same hosts, and so the same references. */
function clusterReferences({ virtualHosts }: RouteConfiguration): readonly Reference[] {
  const byName = new Map<string, Reference>();
  for (const host of virtualHosts)
    for (const reference of referencesOfHost(host)) byName.set(reference.name, reference);
  return [...byName.values()];
}

const referencesOfHost = memoize(({ routes }: VirtualHost): readonly Reference[] =>
  routes.flatMap(clustersOf).map((name) => ({ type: "CDS", name })),
);

/** The clusters that a route names. */
export function clustersOf({ action }: Route): readonly string[] {
  if (action.case !== "route") return [];
  const { clusterSpecifier } = action.value;
  if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value];
  return clusterSpecifier.case === "weightedClusters" ? clusterSpecifier.value.clusters.map(({ name }) => name) : [];
}
