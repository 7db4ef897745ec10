import { create } from "@bufbuild/protobuf";
import {
  blackHoleCluster,
  listenerName,
  outboundClusterName,
  passthroughCluster,
  serviceRouteName,
  sidecarRouteName,
  virtualOutbound,
} from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import type { FilterChain, FilterChainMatch } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { wildcardAddresses } from "../model/ip-families.ts";
import { isServerFirst } from "../model/port.ts";
import type { TcpMatch } from "./listener-claims.ts";
import type { TcpPart } from "./listener-conflicts.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { chainMatch, httpChain, plainHttp, tcpChain } from "./network-filters.ts";
import { fromService, fromSetting } from "./origins.ts";
import type { OutboundListener } from "./outbound-plan.ts";
import { encodeResource } from "./resource.ts";
import type { Reachable } from "./scope.ts";
import type { OutboundPolicy, SidecarSettings } from "./sidecar-settings.ts";
import { duration, listenAddresses } from "./wire-values.ts";

/** All that a listener follows from, by identity and by value. */
export function partsOfListener(
  listener: OutboundListener,
  settings: SidecarSettings,
  origin: Origin,
): readonly (object | string)[] {
  const { http, tcp, ...shape } = listener;
  const matches = tcp.map(({ match }) => match);
  return [
    ...(http?.kind === "own" ? [http.reachable] : []),
    ...tcp.map(({ reachable }) => reachable),
    ...(http?.kind === "shared" ? [origin] : []),
    ...[settings, JSON.stringify([shape, http?.kind, matches])],
  ];
}

/** `origin`: who opens it, where it is not for certain services alone. */
export function compileOutboundListener(
  listener: OutboundListener,
  settings: SidecarSettings,
  origin: Origin,
): Resource {
  const { binds, port, captured, passesRest, http, tcp } = listener;
  const name = listenerName(binds[0] ?? "", port);
  const sniffs = http !== undefined && (passesRest || tcp.length > 0) && !isServerFirst(port);
  const asksForNames = tcp.some(({ match }) => match.kind === "server-names");
  const httpChains = http === undefined ? [] : [chainOfRequests(listener, name, sniffs, origin)];
  const tcpChains = tcp.filter(({ match }) => match.kind !== "any").map(chainOfService);
  const rest = tcp.find(({ match }) => match.kind === "any");
  const last =
    rest !== undefined
      ? chainOfService(rest)
      : passesRest && (sniffs || http === undefined)
        ? chainOfRest(settings.policy)
        : undefined;
  const chosen = [...httpChains, ...tcpChains];
  const message = create(ListenerSchema, {
    name,
    ...listenAddresses(binds, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(captured && { bindToPort: false }),
    listenerFilters: [...(asksForNames ? [tlsInspector()] : []), ...(sniffs ? [httpInspector()] : [])],
    ...(asksForNames || sniffs ? detection(settings) : {}),
    ...(chosen.length === 0 && last !== undefined
      ? { filterChains: [last] }
      : { filterChains: chosen, ...(last !== undefined && { defaultFilterChain: last }) }),
  });
  const services = [...(http?.kind === "own" ? [http.reachable] : []), ...tcp.map(({ reachable }) => reachable)];
  const origins = [
    ...(http?.kind === "own" || http === undefined ? [] : [origin]),
    ...new Set(services.map(({ service }) => service)),
  ].map((one) => ("hostname" in one ? fromService(one) : one));
  const clusters = [
    ...tcp.map(({ reachable }) => clusterOf(reachable)),
    ...(last === undefined || rest !== undefined ? [] : [restCluster(settings.policy)]),
  ];
  return encodeResource("LDS", name, ListenerSchema, trace(message, origins), [
    ...(http === undefined ? [] : [{ type: "RDS" as const, name: tableOf(listener) }]),
    ...[...new Set(clusters)].map((cluster) => ({ type: "CDS" as const, name: cluster })),
  ]);
}

/** How long the first bytes are waited for; then the connection is taken as it stands. */
export const detection = ({ mesh }: SidecarSettings) => ({
  listenerFiltersTimeout: duration(mesh.protocolDetectionTimeoutMs),
  continueOnListenerFiltersTimeout: true,
});

const clusterOf = ({ service, port }: Reachable): string => outboundClusterName(port.number, "", service.hostname);

/** The name of the table that its requests are routed by. */
const tableOf = ({ http, port }: OutboundListener): string =>
  http?.kind === "own" ? serviceRouteName(http.reachable.service.hostname, port) : sidecarRouteName(port);

function chainOfRequests(listener: OutboundListener, name: string, sniffs: boolean, origin: Origin): FilterChain {
  const { http } = listener;
  return httpChain(
    { statPrefix: `outbound_${name}`, routes: { kind: "rds", name: tableOf(listener) }, edge: false },
    {
      ...(sniffs && { match: chainMatch(plainHttp) }),
      origin: http?.kind === "own" ? fromService(http.reachable.service) : origin,
    },
  );
}

const matchers: {
  readonly [K in TcpMatch["kind"]]: (match: Extract<TcpMatch, { readonly kind: K }>) => FilterChainMatch | undefined;
} = {
  any: () => undefined,
  "server-names": ({ names }) => chainMatch({ serverNames: [...names] }),
  networks: ({ networks }) =>
    chainMatch({
      prefixRanges: networks.map(({ address, prefix }) => ({ addressPrefix: address, prefixLen: prefix })),
    }),
};

function chainOfService({ reachable, match }: TcpPart): FilterChain {
  const filterChainMatch = (matchers[match.kind] as (match: TcpMatch) => FilterChainMatch | undefined)(match);
  return tcpChain(clusterOf(reachable), {
    ...(filterChainMatch && { match: filterChainMatch }),
    origin: fromService(reachable.service),
  });
}

/** Where connections go that no registry knows the destination of. */
const restCluster = ({ mode }: OutboundPolicy): string =>
  mode === "ALLOW_ANY" ? passthroughCluster : blackHoleCluster;

const chainOfRest = (policy: OutboundPolicy): FilterChain =>
  tcpChain(restCluster(policy), { name: "PassthroughFilterChain", origin: policy.origin });

/** Takes what is captured of the application, and hands it over to the listener for its destination; the rest it passes on itself. */
export function compileVirtualOutbound(settings: SidecarSettings): Resource {
  const { mesh, policy, families } = settings;
  const port = mesh.proxyListenPort;
  const message = create(ListenerSchema, {
    name: virtualOutbound,
    ...listenAddresses(wildcardAddresses[families], port),
    useOriginalDst: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      // Nobody dials this port: it would go round in circles.
      tcpChain(blackHoleCluster, {
        name: "virtualOutbound-blackhole",
        match: chainMatch({ destinationPort: port }),
        origin: fromSetting("proxyListenPort"),
      }),
    ],
    defaultFilterChain: tcpChain(restCluster(policy), { name: "virtualOutbound-catchall-tcp", origin: policy.origin }),
  });
  const clusters = new Set([blackHoleCluster, restCluster(policy)]);
  return encodeResource(
    "LDS",
    virtualOutbound,
    ListenerSchema,
    trace(message, fromSetting("proxyListenPort")),
    [...clusters].map((name) => ({ type: "CDS", name })),
  );
}
