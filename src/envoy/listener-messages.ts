import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Address, SocketAddress_Protocol as Protocol } from "../gen/envoy/config/core/v3/address_pb.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import {
  type FilterChainMatch,
  type ListenerFilterChainMatchPredicate as Predicate,
  FilterChainMatch_ConnectionSourceType as SourceType,
} from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { type Listener, ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { messageTypes } from "./pack.ts";
import { millisecondsOf } from "./route-messages.ts";
import { packedType, withKnownTypes } from "./unknown-types.ts";

export type { CidrRange } from "../gen/envoy/config/core/v3/address_pb.ts";
export type { FilterChain, FilterChainMatch } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
export type { Listener } from "../gen/envoy/config/listener/v3/listener_pb.ts";

/**
 * From proto JSON, such as stands in an Envoy's config dump; throws where it is no such message. Fields that we do not know are left
 * out. What is packed and of a type that we do not know comes as a `TypedStruct`, which says the same.
 */
export const readListener = (json: JsonValue): Listener =>
  fromJson(ListenerSchema, withKnownTypes(json), { registry: messageTypes, ignoreUnknownFields: true });

/** Whose connections a filter chain takes: from the same machine, from others, anybody's. */
export type SourceKind = "any" | "local" | "external";

const sourceKinds: Readonly<Record<SourceType, SourceKind>> = {
  [SourceType.ANY]: "any",
  [SourceType.SAME_IP_OR_LOOPBACK]: "local",
  [SourceType.EXTERNAL]: "external",
};

export const sourceKindOf = ({ sourceType }: FilterChainMatch): SourceKind => sourceKinds[sourceType] ?? "any";

/** Where a listener takes TCP connections. */
export interface ListenAddress {
  readonly address: string;
  readonly port: number;
  /** Of an IPv6 address: connections by IPv4 come to it too. */
  readonly takesIpv4: boolean;
}

/** None for a listener of another kind: UDP, a pipe, one inside Envoy. */
export const listenAddressesOf = ({ address, additionalAddresses }: Listener): readonly ListenAddress[] =>
  [address, ...additionalAddresses.map((one) => one.address)].flatMap(tcpAddress);

function tcpAddress(address: Address | undefined): readonly ListenAddress[] {
  if (address?.address.case !== "socketAddress") return [];
  const { protocol, portSpecifier, ipv4Compat, address: text } = address.address.value;
  if (protocol !== Protocol.TCP || portSpecifier.case !== "portValue") return [];
  return [{ address: text, port: portSpecifier.value, takesIpv4: ipv4Compat }];
}

/** Is it for calls to the workload beside the proxy? */
export const isInbound = ({ trafficDirection }: Listener): boolean => trafficDirection === TrafficDirection.INBOUND;

/** Without a port of its own, a listener gets only what another one hands over. */
export const bindsToPort = ({ bindToPort = true, deprecatedV1 }: Listener): boolean =>
  bindToPort && deprecatedV1?.bindToPort !== false;

/** What a listener filter finds out about a connection, of those that matter for where it goes. */
export type ListenerFilterKind = "original-destination" | "tls" | "http";

const filterKinds: Readonly<Record<string, ListenerFilterKind>> = {
  "envoy.extensions.filters.listener.original_dst.v3.OriginalDst": "original-destination",
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector": "tls",
  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector": "http",
};

/** Those that look at connections to this port. Envoy adds none by itself, whatever filter chains ask for. */
export const listenerFiltersAt = (
  { useOriginalDst = false, listenerFilters }: Listener,
  port: number,
): ReadonlySet<ListenerFilterKind> =>
  new Set([
    ...(useOriginalDst ? (["original-destination"] as const) : []),
    ...listenerFilters.flatMap(({ configType, filterDisabled }) => {
      const kind = configType.case === "typedConfig" ? filterKinds[packedType(configType.value)] : undefined;
      return kind === undefined || isMetBy(filterDisabled, port) ? [] : [kind];
    }),
  ]);

/** What Envoy has where nothing is said. */
const usualFiltersTimeoutMs = 15_000;

/** How long its filters wait for a connection's first bytes, 0: for ever; and whether it goes on without. */
export const firstBytesOf = ({
  listenerFiltersTimeout: timeout,
  continueOnListenerFiltersTimeout: goesOn,
}: Listener): { readonly timeoutMs: number; readonly goesOn: boolean } => ({
  timeoutMs: timeout === undefined ? usualFiltersTimeoutMs : millisecondsOf(timeout),
  goesOn,
});

/** Whether it may know where a client wanted to go: by a filter of its own, be it one that we do not know, or from who hands over. */
export function mayKnowDestination(listener: Listener): boolean {
  if (!bindsToPort(listener) || listener.useOriginalDst) return true;
  const kinds = listener.listenerFilters.map(({ configType }) =>
    configType.case === "typedConfig" ? filterKinds[packedType(configType.value)] : undefined,
  );
  return kinds.some((kind) => kind !== "tls" && kind !== "http");
}

function isMetBy(predicate: Predicate | undefined, port: number): boolean {
  const rule = predicate?.rule;
  switch (rule?.case) {
    case "orMatch":
      return rule.value.rules.some((one) => isMetBy(one, port));
    case "andMatch":
      return rule.value.rules.every((one) => isMetBy(one, port));
    case "notMatch":
      return !isMetBy(rule.value, port);
    case "anyMatch":
      return true;
    case "destinationPortRange":
      return port >= rule.value.start && port < rule.value.end;
    default:
      return false;
  }
}
