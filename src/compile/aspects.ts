import { keepSameList, memoize, memoizeBy } from "../base/memo.ts";
import { memoizeItems } from "../base/memo-of-items.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { VirtualHost } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import type { Instance } from "../model/instance.ts";
import { compileOutboundCluster, compileSpecialClusters } from "./clusters.ts";
import { compileGatewayListener } from "./gateway-listener.ts";
import { compileHttpProxyListener } from "./http-proxy.ts";
import { chooseTargets, compileVirtualInbound, partsOfTargets } from "./inbound.ts";
import { compileInboundPassthrough, compileWorkloadCluster } from "./inbound-clusters.ts";
import { compileIngress } from "./ingress.ts";
import { compileOutboundListener, partsOfListener } from "./outbound-listeners.ts";
import { planCaptured, planDialled } from "./outbound-plan.ts";
import { compileEndpoints, placeEndpoints } from "./placed-endpoints.ts";
import { compilePlaceholder } from "./placeholders.ts";
import { compileClientCluster, compileEmptyClientCluster } from "./proxyless-clusters.ts";
import { compileClientListeners, compileServerListeners } from "./proxyless-listeners.ts";
import { compileRouteTable } from "./route-table.ts";
import { routesOf } from "./routes.ts";
import {
  blackHoleVirtualHost,
  clientVirtualHost,
  hostVirtualHost,
  mergeRoutes,
  ownVirtualHost,
  portHosts,
  proxyVirtualHost,
  serviceVirtualHost,
  unknownHosts,
} from "./virtual-hosts.ts";
import { compileVirtualOutbound } from "./virtual-outbound.ts";

/**
 * The pure functions that make parts of resources, each remembering its results by the identity of its arguments: what did
 * not change is not made, encoded or hashed again, and profiles that see the same things share the same bytes.
 */
export interface Aspects {
  readonly outboundCluster: typeof compileOutboundCluster;
  readonly specialClusters: typeof compileSpecialClusters;
  readonly placeholder: typeof compilePlaceholder;
  readonly endpoints: typeof compileEndpoints;
  readonly placedEndpoints: typeof placeEndpoints;
  /** A subset's instances keep their identity while another subset's change. */
  readonly sameList: (owner: Resource, instances: readonly Instance[]) => readonly Instance[];
  readonly routes: typeof routesOf;
  readonly mergeRoutes: typeof mergeRoutes;
  readonly serviceVirtualHost: typeof serviceVirtualHost;
  readonly portHosts: (...args: ArgumentsBehindFirst<typeof portHosts>) => readonly VirtualHost[];
  /** Hosts and one behind them that takes what is left: one list for the same. */
  readonly withCatchAll: (hosts: readonly VirtualHost[], last: VirtualHost) => readonly VirtualHost[];
  readonly ownVirtualHost: typeof ownVirtualHost;
  readonly proxyVirtualHost: typeof proxyVirtualHost;
  readonly hostVirtualHost: typeof hostVirtualHost;
  readonly unknownHosts: typeof unknownHosts;
  readonly blackHoleVirtualHost: typeof blackHoleVirtualHost;
  readonly routeTable: typeof compileRouteTable;
  readonly planCaptured: typeof planCaptured;
  readonly planDialled: typeof planDialled;
  readonly outboundListener: (...args: Parameters<typeof compileOutboundListener>) => Resource | undefined;
  readonly virtualOutbound: (...args: Parameters<typeof compileVirtualOutbound>) => Resource | undefined;
  readonly chooseTargets: typeof chooseTargets;
  readonly virtualInbound: (...args: Parameters<typeof compileVirtualInbound>) => Resource | undefined;
  readonly workloadCluster: typeof compileWorkloadCluster;
  readonly inboundPassthrough: typeof compileInboundPassthrough;
  readonly httpProxyListener: typeof compileHttpProxyListener;
  readonly ingress: typeof compileIngress;
  readonly gatewayListener: typeof compileGatewayListener;
  readonly clientListeners: typeof compileClientListeners;
  readonly clientVirtualHost: typeof clientVirtualHost;
  readonly clientCluster: typeof compileClientCluster;
  readonly emptyClientCluster: typeof compileEmptyClientCluster;
  readonly serverListeners: typeof compileServerListeners;
}

type ArgumentsBehindFirst<F> = F extends (first: never, ...rest: infer R) => unknown ? R : never;

/** `onResource` hears of each resource that is made. */
export function createAspects(onResource: (resource: Resource) => void = () => {}): Aspects {
  const heard =
    <A extends readonly unknown[], V>(make: (...args: A) => V): ((...args: A) => V) =>
    (...args) => {
      const made = make(...args);
      for (const one of resourcesIn(made)) onResource(one);
      return made;
    };
  const makeHost = memoize(serviceVirtualHost);
  return {
    outboundCluster: memoize(heard(compileOutboundCluster)),
    specialClusters: memoize(heard(compileSpecialClusters)),
    placeholder: memoize(heard(compilePlaceholder)),
    endpoints: memoize(heard(compileEndpoints)),
    placedEndpoints: memoize(heard(placeEndpoints)),
    sameList: keepSameList(),
    routes: memoize(routesOf),
    mergeRoutes: memoize(mergeRoutes),
    serviceVirtualHost: makeHost,
    portHosts: memoize((...args) => portHosts(makeHost, ...args)),
    withCatchAll: memoize((hosts, last) => [...hosts, last]),
    ownVirtualHost: memoize(ownVirtualHost),
    proxyVirtualHost: memoize(proxyVirtualHost),
    hostVirtualHost: memoize(hostVirtualHost),
    unknownHosts: memoize(unknownHosts),
    blackHoleVirtualHost: memoize(blackHoleVirtualHost),
    routeTable: memoizeBy((name, hosts) => [hosts, name], memoizeItems(heard(compileRouteTable))),
    planCaptured: memoize(planCaptured),
    planDialled: memoize(planDialled),
    // Plans are shared, and so are their listeners; a plan that was made anew has others that are alike.
    outboundListener: memoize(memoizeBy(partsOfListener, heard(compileOutboundListener))),
    virtualOutbound: memoize(heard(compileVirtualOutbound)),
    chooseTargets: memoizeBy(partsOfTargets, chooseTargets),
    virtualInbound: memoizeBy((settings, ports) => [...ports, settings], heard(compileVirtualInbound)),
    workloadCluster: memoize(heard(compileWorkloadCluster)),
    inboundPassthrough: memoize(heard(compileInboundPassthrough)),
    httpProxyListener: memoize(heard(compileHttpProxyListener)),
    ingress: memoize(heard(compileIngress)),
    gatewayListener: memoize(heard(compileGatewayListener)),
    clientListeners: memoize(heard(compileClientListeners)),
    clientVirtualHost: memoize(clientVirtualHost),
    clientCluster: memoize(heard(compileClientCluster)),
    emptyClientCluster: memoize(heard(compileEmptyClientCluster)),
    serverListeners: memoize(heard(compileServerListeners)),
  };
}

/** A result is a resource, a list of them, or lists in a record. */
function resourcesIn(made: unknown): readonly Resource[] {
  if (typeof made !== "object" || made === null) return [];
  return "bytes" in made ? [made as Resource] : Object.values(made).flatMap(resourcesIn);
}
