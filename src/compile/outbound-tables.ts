import { memoize } from "../base/memo.ts";
import { httpProxyRouteName, serviceRouteName, sidecarRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { Route, VirtualHost } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type Hostname, isWildcard, isWithin } from "../model/hostname.ts";
import type { Aspects } from "./aspects.ts";
import { forMesh, governedServices, governingRules } from "./governing-rules.ts";
import { domainFor, domainForAll } from "./hosts.ts";
import { httpProxyPolicy } from "./http-proxy.ts";
import type { OutboundListener } from "./outbound-plan.ts";
import { isRouted, routedAt } from "./routed-services.ts";
import type { EgressScope, Reachable } from "./scope.ts";
import type { View } from "./view.ts";
import { routesFor } from "./virtual-service.ts";

/** The route tables that a sidecar's listeners name: one for each port, and one for each service that has a listener for itself. */
export function compileTables(
  view: View,
  listeners: readonly OutboundListener[],
  aspects: Aspects,
): readonly Resource[] {
  const ports = new Set(listeners.filter(({ http }) => http?.kind === "shared").map(({ port }) => port));
  const own = listeners.flatMap(({ http }) => (http?.kind === "own" ? [http.reachable] : []));
  return [
    ...[...ports].map((port) => sharedTable(port, view, aspects)),
    ...[...new Set(own)].map((one) => ownTable(one, view, aspects)),
    ...(view.mesh.proxyHttpPort === 0 ? [] : [proxyTable(view, aspects)]),
  ];
}

/** The scope of a port: the listener for it, else that for all others. */
const scopeOf = (port: number, { egress }: View): EgressScope | undefined =>
  egress.find((scope) => scope.port === port) ?? egress.find((scope) => scope.port === undefined);

function sharedTable(port: number, view: View, aspects: Aspects): Resource {
  const scope = scopeOf(port, view);
  const services = scope === undefined ? [] : routedAt(scope.services, port);
  const hosts = scope === undefined ? [] : hostsAt(services, scope, view, aspects);
  const unknown = scope === undefined || port !== unknownHostPort ? [] : unknownHosts(scope, services, view, aspects);
  const all = unknown.length === 0 ? hosts : [...hosts, ...unknown];
  return aspects.routeTable(
    sidecarRouteName(port),
    aspects.withCatchAll(all, aspects.unknownHosts(view.settings.policy)),
  );
}

/** With the routes of the oldest rule that speaks of each service, else with one route to all instances. */
function hostsAt(
  services: readonly Reachable[],
  { virtualServices }: EgressScope,
  view: View,
  aspects: Aspects,
): readonly VirtualHost[] {
  const governed = governedServices(services, virtualServices);
  const routes = governed.rules.map((rule) => routesFor(rule, view, governed.port, aspects.routes));
  return aspects.portHosts(governed, domainForAll(services, view.profile.dnsDomain), ...routes);
}

function routesOf(
  { service, port }: Reachable,
  scope: EgressScope | undefined,
  view: View,
  aspects: Aspects,
): readonly Route[] | undefined {
  const rule = scope === undefined ? undefined : governingRules(scope.virtualServices)(service.hostname);
  return rule && routesFor(rule, view, port.number, aspects.routes);
}

/** Plain HTTP: the one port on which a host that no registry knows gets a virtual host, as Istio has it. */
const unknownHostPort = 80;

const hostNames = memoize((services: readonly Reachable[]) => new Set(services.map(({ service }) => service.hostname)));

function unknownHosts(
  { virtualServices }: EgressScope,
  services: readonly Reachable[],
  view: View,
  aspects: Aspects,
): readonly VirtualHost[] {
  const names = hostNames(services);
  const isKnown = (host: Hostname): boolean =>
    isWildcard(host) ? [...names].some((name) => isWithin(name, host)) : names.has(host);
  const made = new Map<Hostname, VirtualHost>();
  for (const virtualService of forMesh(virtualServices)) {
    for (const host of virtualService.hosts) {
      if (made.has(host) || isKnown(host) || view.findService(host) !== undefined) continue;
      const routes = routesFor(virtualService, view, unknownHostPort, aspects.routes);
      made.set(host, aspects.hostVirtualHost(virtualService.rule, host, unknownHostPort, routes));
    }
  }
  return [...made.values()];
}

/** Whatever the host is: who dialled the service's own address means it. */
function ownTable(one: Reachable, view: View, aspects: Aspects): Resource {
  const { service, port } = one;
  const host = aspects.ownVirtualHost(service, port, routesOf(one, scopeOf(port.number, view), view, aspects));
  return aspects.routeTable(serviceRouteName(service.hostname, port.number), [host]);
}

/** An application that calls by a proxy names host and port; without a port, the first of the service's that there is. */
function proxyTable(view: View, aspects: Aspects): Resource {
  const all = view.egress.flatMap((scope) => scope.services.filter(isRouted).map((one) => ({ one, scope })));
  const unique = new Map(all.map((each) => [each.one, each]));
  const hosts = [...unique.values()].map(({ one, scope }) =>
    aspects.proxyVirtualHost(
      one.service,
      one.port,
      domainFor(one.service, view.profile.dnsDomain),
      routesOf(one, scope, view, aspects),
    ),
  );
  return aspects.routeTable(httpProxyRouteName, [...hosts, aspects.unknownHosts(httpProxyPolicy)]);
}
