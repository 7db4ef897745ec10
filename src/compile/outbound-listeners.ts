import { create } from "@bufbuild/protobuf";
import { outboundClusterName, serviceRouteName, sidecarRouteName } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import type { FilterChain, FilterChainMatch } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { isServerFirst } from "../model/port.ts";
import type { TcpMatch } from "./listener-claims.ts";
import type { TcpPart } from "./listener-conflicts.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { chainMatch, httpChain, plainHttp, tcpChain } from "./network-filters.ts";
import { fromService } from "./origins.ts";
import { nameOf, type OutboundListener } from "./outbound-plan.ts";
import { encodeResource } from "./resource.ts";
import type { Reachable } from "./scope.ts";
import { type OutboundPolicy, restCluster, type SidecarSettings } from "./sidecar-settings.ts";
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
  const { binds, port, captured, http, tcp } = listener;
  const name = nameOf(listener);
  const sniffs = isHttpRecognised(listener);
  const asksForNames = tcp.some(({ match }) => match.kind === "server-names");
  const chosen = [
    ...(http === undefined ? [] : [chainOfRequests(listener, sniffs, origin)]),
    ...tcp.filter(({ match }) => match.kind !== "any").map(chainOfService),
  ];
  const last = lastChain(listener, sniffs, settings.policy);
  const message = create(ListenerSchema, {
    name,
    ...listenAddresses(binds, port),
    trafficDirection: TrafficDirection.OUTBOUND,
    ...(captured && { bindToPort: false }),
    listenerFilters: [...(asksForNames ? [tlsInspector()] : []), ...(sniffs ? [httpInspector()] : [])],
    ...(asksForNames || sniffs ? detection(settings) : {}),
    // One that takes everything is no default: there is nothing beside it.
    ...(chosen.length === 0 && last !== undefined
      ? { filterChains: [last.chain] }
      : { filterChains: chosen, ...(last !== undefined && { defaultFilterChain: last.chain }) }),
  });
  const clusters = new Set([
    ...tcp.map(({ reachable }) => clusterOf(reachable)),
    ...(last === undefined ? [] : [last.cluster]),
  ]);
  return encodeResource("LDS", name, ListenerSchema, trace(message, originsOf(listener, origin)), [
    ...(http === undefined ? [] : [{ type: "RDS" as const, name: tableOf(listener) }]),
    ...[...clusters].map((cluster) => ({ type: "CDS" as const, name: cluster })),
  ]);
}

/** Does it look at the first bytes? Not where requests are all that there is, and not where a server may speak first. */
const isHttpRecognised = ({ http, tcp, passesRest, port }: OutboundListener): boolean =>
  http !== undefined && (passesRest || tcp.length > 0) && !isServerFirst(port);

interface LastChain {
  readonly cluster: string;
  readonly chain: FilterChain;
}

/** For what no other chain asks for: the service that takes anything, else what the policy says. */
function lastChain(
  { http, tcp, passesRest }: OutboundListener,
  sniffs: boolean,
  policy: OutboundPolicy,
): LastChain | undefined {
  const any = tcp.find(({ match }) => match.kind === "any");
  if (any !== undefined) return { cluster: clusterOf(any.reachable), chain: chainOfService(any) };
  if (!passesRest || (http !== undefined && !sniffs)) return undefined;
  const cluster = restCluster(policy);
  return { cluster, chain: tcpChain(cluster, { name: "PassthroughFilterChain", origin: policy.origin }) };
}

function originsOf({ http, tcp }: OutboundListener, origin: Origin): readonly Origin[] {
  const reachable = [...(http?.kind === "own" ? [http.reachable] : []), ...tcp.map((part) => part.reachable)];
  const services = new Set(reachable.map(({ service }) => service));
  return [...(http?.kind === "shared" ? [origin] : []), ...[...services].map(fromService)];
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

function chainOfRequests(listener: OutboundListener, sniffs: boolean, origin: Origin): FilterChain {
  const { http } = listener;
  return httpChain(
    { statPrefix: `outbound_${nameOf(listener)}`, routes: { kind: "rds", name: tableOf(listener) }, edge: false },
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
