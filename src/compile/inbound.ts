import { create } from "@bufbuild/protobuf";
import { memoize } from "../base/memo.ts";
import {
  blackHoleCluster,
  inboundClusterName,
  inboundPassthroughCluster,
  listenerName,
  virtualInbound,
} from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Repair, Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import type { FilterChain, ListenerFilter } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { wildcardAddresses } from "../model/ip-families.ts";
import { isHttp, isProxied, isServerFirst, type Protocol, type ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import { conflictAt, portText } from "./conflict.ts";
import { inboundRoutes } from "./inbound-routes.ts";
import { olderService } from "./listener-conflicts.ts";
import { httpInspectorAt, originalDestination, originalSource } from "./listener-filters.ts";
import { chainMatch, httpChain, plainHttp, tcpChain } from "./network-filters.ts";
import { fromService, fromSetting } from "./origins.ts";
import { detection } from "./outbound-listeners.ts";
import { encodeResource } from "./resource.ts";
import type { Reachable } from "./scope.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";
import { listenAddresses } from "./wire-values.ts";

/** A port of a service that the workload beside the sidecar is an instance of. */
export interface InboundTarget {
  readonly reachable: Reachable;
  /** The number that the workload listens on. */
  readonly target: number;
}

/** Captured connections to one port of the workload. */
export interface InboundPort {
  readonly port: number;
  readonly protocol: Protocol;
  /** What clients call it by; names the virtual host. */
  readonly servicePort: number;
  readonly origin: Origin;
}

/** How connections to a port are taken: request by request, as they are, or by what their first bytes look like. */
type Handling = "http" | "tcp" | "auto";

function handlingOf(protocol: Protocol, ...numbers: readonly number[]): Handling {
  if (isHttp(protocol)) return "http";
  return protocol === "auto" && !numbers.some(isServerFirst) ? "auto" : "tcp";
}

const handlingAt = ({ protocol, port, servicePort }: InboundPort): Handling => handlingOf(protocol, port, servicePort);

export interface ChosenTargets {
  /** One for each port of the workload, in order. */
  readonly targets: readonly InboundTarget[];
  readonly conflicts: readonly Repair[];
}

/** The same object for the same port of a service. */
export const inboundPort = memoize(
  (service: Service, { number, protocol }: ServicePort, target: number): InboundPort => ({
    ...{ port: target, protocol, servicePort: number, origin: fromService(service) },
  }),
);

/** What the choice among targets follows from. */
export const partsOfTargets = (targets: readonly InboundTarget[]): readonly (object | string)[] => [
  ...targets.map(({ reachable }) => reachable),
  targets.map(({ target }) => target).join(),
];

/**
 * Of several services on one port of the workload the first one says how connections are taken; of several ports of one service the one
 * that it names first. UDP is not captured.
 */
export function chooseTargets(all: readonly InboundTarget[]): ChosenTargets {
  const targets: InboundTarget[] = [];
  const conflicts: Repair[] = [];
  const byPort = Map.groupBy(
    all.filter(({ reachable: { port } }) => isProxied(port.protocol)),
    ({ target }) => target,
  );
  for (const [port, group] of [...byPort].sort(([a], [b]) => a - b)) {
    const [first, ...others] = group.toSorted(
      ({ reachable: a }, { reachable: b }) => olderService(a.service, b.service) || placeOf(a) - placeOf(b),
    );
    if (first === undefined) continue;
    targets.push(first);
    const lost = others.filter((one) => handlingFor(one) !== handlingFor(first));
    if (lost.length > 0) conflicts.push(conflictAt(virtualInbound, lostText(port, first, lost)));
  }
  return { targets, conflicts };
}

/** Among the ports of its service. */
const placeOf = ({ service, port }: Reachable): number =>
  service.ports.findIndex(({ number, protocol }) => number === port.number && isProxied(protocol));

const handlingFor = ({
  reachable: {
    port: { protocol, number },
  },
  target,
}: InboundTarget): Handling => handlingOf(protocol, target, number);

const lostText = (port: number, winner: InboundTarget, lost: readonly InboundTarget[]): string =>
  `port ${port} of the workload is taken as ${portText(winner.reachable)} has it, not as ${lost.map(({ reachable }) => portText(reachable)).join(", ")}`;

/** Takes what is captured on its way to the workload. Ports that nobody speaks of get their connections as they are. */
export function compileVirtualInbound(settings: SidecarSettings, ports: readonly InboundPort[]): Resource {
  const { mesh, families, interception } = settings;
  const own = mesh.proxyInboundListenPort;
  const isTransparent = interception === "tproxy";
  const sniffed = ports.filter((one) => handlingAt(one) === "auto").map(({ port }) => port);
  const listenerFilters: ListenerFilter[] = [
    originalDestination(),
    ...(isTransparent ? [originalSource()] : []),
    ...(sniffed.length > 0 ? [httpInspectorAt(sniffed)] : []),
  ];
  const message = create(ListenerSchema, {
    name: virtualInbound,
    ...listenAddresses(wildcardAddresses[families], own),
    trafficDirection: TrafficDirection.INBOUND,
    ...(isTransparent && { transparent: true }),
    listenerFilters,
    ...(sniffed.length > 0 ? detection(settings) : {}),
    filterChains: [
      tcpChain(blackHoleCluster, {
        name: "virtualInbound-blackhole",
        match: chainMatch({ destinationPort: own }),
        origin: fromSetting("proxyInboundListenPort"),
      }),
      ...ports.filter(({ port }) => port !== own).flatMap((one) => handlings[handlingAt(one)](one)),
    ],
    defaultFilterChain: tcpChain(inboundPassthroughCluster, {
      name: "virtualInbound-catchall-tcp",
      origin: fromSetting("proxyInboundListenPort"),
    }),
  });
  const clusters = [blackHoleCluster, inboundPassthroughCluster, ...ports.map(({ port }) => inboundClusterName(port))];
  return encodeResource(
    "LDS",
    virtualInbound,
    ListenerSchema,
    trace(message, fromSetting("proxyInboundListenPort")),
    clusters.map((name) => ({ type: "CDS", name })),
  );
}

/** As other meshes name them, for who looks for one. */
const chainName = (port: number): string => listenerName("0.0.0.0", port);

const requests = (one: InboundPort, isRecognised: boolean): FilterChain =>
  httpChain(
    {
      statPrefix: `inbound_${chainName(one.port)}`,
      routes: { kind: "inline", table: inboundRoutes({ ...one, cluster: inboundClusterName(one.port) }) },
      edge: false,
    },
    {
      name: chainName(one.port),
      match: chainMatch({ destinationPort: one.port, ...(isRecognised ? plainHttp : {}) }),
      origin: one.origin,
    },
  );

/** Envoy does not go back to a chain that asks for less: beside requests that are recognised the rest is plain text, too. */
const bytes = ({ port, origin }: InboundPort, isRest: boolean): FilterChain =>
  tcpChain(inboundClusterName(port), {
    name: chainName(port),
    match: chainMatch({ destinationPort: port, ...(isRest && { transportProtocol: plainHttp.transportProtocol }) }),
    origin,
  });

const handlings: Readonly<Record<Handling, (one: InboundPort) => readonly FilterChain[]>> = {
  http: (one) => [requests(one, false)],
  tcp: (one) => [bytes(one, false)],
  auto: (one) => [requests(one, true), bytes(one, true)],
};
