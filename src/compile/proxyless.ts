import { clientRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { type Hostname, isWildcard, isWithin } from "../model/hostname.ts";
import { isHttp } from "../model/port.ts";
import type { Aspects } from "./aspects.ts";
import { isResolvedByDns } from "./clusters.ts";
import { domainFor } from "./hosts.ts";
import { outboundOf } from "./outbound.ts";
import type { Reachable } from "./scope.ts";
import type { View } from "./view.ts";
import { type BoundVirtualService, routesFor } from "./virtual-service.ts";

/**
 * All that a gRPC process may ask for by name, but for clusters. To call: for each port of a service, a listener under each name
 * that the port is dialled by, and one route table. To serve: listeners for each port that its instances listen on.
 *
 * gRPC takes no cluster whose names it would have to resolve: services that are found by DNS do not exist for it.
 */
export function compileProxyless(view: View, aspects: Aspects): readonly Resource[] {
  const { dnsDomain, listensOn = [] } = view.profile;
  const reachable = view.reachable.filter(isCallable);
  const governing = governingRules(view, reachable);
  const listeners = reachable.map(({ service, port }) =>
    aspects.clientListeners(service, port, domainFor(service, dnsDomain)),
  );
  const tables = reachable.map(({ service, port }) => {
    const rule = governing.get(service.hostname);
    const routes = rule && routesFor(rule, view, port.number, aspects.routes);
    return aspects.routeTable(clientRouteName(port.number, service.hostname), [
      aspects.clientVirtualHost(service, port, domainFor(service, dnsDomain), routes),
    ]);
  });
  return [
    // A service's own name goes before the short form of another's.
    ...listeners.flatMap(({ full }) => full),
    ...listeners.flatMap(({ short }) => short),
    ...tables,
    ...listensOn.flatMap((port) => aspects.serverListeners(view.mesh, port)),
  ];
}

/** Calls are routed one by one, to instances that we know. */
const isCallable = ({ service, port: { protocol } }: Reachable): boolean =>
  !isResolvedByDns(service) && (isHttp(protocol) || protocol === "auto");

/** Clusters and endpoints of one service. Endpoints carry the version of Envoy's cluster, so that they are the same resource for Envoys and gRPC. */
export function compileProxylessService(one: Reachable, view: View, aspects: Aspects): readonly Resource[] {
  if (!isCallable(one)) return [];
  return outboundOf(one, view, aspects).flatMap(({ service, port, cluster, subset, members }) => [
    aspects.clientCluster(service, port, view.policyFor(service), subset),
    aspects.endpoints(cluster, service, port, members),
  ]);
}

/** Of each host, the oldest rule that speaks of it. */
function governingRules(
  { virtualServices }: View,
  reachable: readonly Reachable[],
): ReadonlyMap<Hostname, BoundVirtualService> {
  const hosts = new Set(reachable.map(({ service }) => service.hostname));
  const governing = new Map<Hostname, BoundVirtualService>();
  for (const virtualService of virtualServices) {
    if (!virtualService.gateways.includes("mesh")) continue;
    for (const host of virtualService.hosts) {
      const meant = isWildcard(host) ? [...hosts].filter((one) => isWithin(one, host)) : [host];
      for (const one of meant) if (!governing.has(one)) governing.set(one, virtualService);
    }
  }
  return governing;
}
