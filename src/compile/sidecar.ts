import { sidecarRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { Route, VirtualHost } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type Hostname, isWildcard, isWithin } from "../model/hostname.ts";
import { isHttp } from "../model/port.ts";
import type { Aspects } from "./aspects.ts";
import { domainFor } from "./hosts.ts";
import type { EgressScope, Reachable } from "./scope.ts";
import type { View } from "./view.ts";
import { routesFor } from "./virtual-service.ts";

/** Plain HTTP: the one port on which a host that no registry knows gets a virtual host, as Istio has it. */
const unknownHostPort = 80;

/** What only sidecars get: their listeners, the route tables of these, and the clusters for what is not a service. */
export function compileSidecar(view: View, aspects: Aspects): readonly Resource[] {
  const { sidecar, mesh, profile } = view;
  const ingress =
    sidecar?.spec.ingress.flatMap((_, index) => aspects.ingress(sidecar, mesh, index, profile.address)) ?? [];
  const egress = view.egress.flatMap((scope) => [
    aspects.egressListener(scope.rule, scope.index),
    aspects.routeTable(sidecarRouteName(scope.listener.port?.number ?? 0), [
      ...virtualHosts(view, scope, aspects),
      aspects.unknownHosts(mesh),
    ]),
  ]);
  return [...ingress, ...egress.filter((resource) => resource !== undefined), ...aspects.specialClusters(mesh)];
}

/** One virtual host a service: with the routes of the oldest rule that speaks of it, else with one route to all instances. */
function virtualHosts(view: View, scope: EgressScope, aspects: Aspects): readonly VirtualHost[] {
  const { profile } = view;
  const port = scope.listener.port?.number ?? 0;
  const services = new Map(scope.services.filter(isRouted).map((reachable) => [reachable.service.hostname, reachable]));
  const made = new Map<Hostname, VirtualHost>();
  const virtualHostOf = (reachable: Reachable, routes: readonly Route[] | undefined): VirtualHost => {
    const { service, port: servicePort } = reachable;
    return aspects.serviceVirtualHost(service, servicePort, domainFor(service, profile.dnsDomain), routes);
  };

  for (const virtualService of scope.virtualServices) {
    if (!virtualService.gateways.includes("mesh")) continue;
    const routes = routesFor(virtualService, view, port, aspects.routes);
    for (const host of virtualService.hosts) {
      const meant = servicesMeant(host, services);
      for (const reachable of meant) {
        const { hostname } = reachable.service;
        if (!made.has(hostname)) made.set(hostname, virtualHostOf(reachable, routes));
      }
      const isUnknown = meant.length === 0 && view.findService(host) === undefined;
      if (isUnknown && port === unknownHostPort && !made.has(host)) {
        made.set(host, aspects.hostVirtualHost(virtualService.rule, host, port, routes));
      }
    }
  }
  for (const [hostname, reachable] of services) {
    if (!made.has(hostname)) made.set(hostname, virtualHostOf(reachable, undefined));
  }
  return [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, host]) => host);
}

/** Only what is routed request by request (or may be) has a virtual host. */
const isRouted = ({ port: { protocol } }: Reachable): boolean => isHttp(protocol) || protocol === "auto";

function servicesMeant(host: Hostname, services: ReadonlyMap<Hostname, Reachable>): readonly Reachable[] {
  if (isWildcard(host)) return [...services.values()].filter(({ service }) => isWithin(service.hostname, host));
  const exact = services.get(host);
  return exact === undefined ? [] : [exact];
}
