import { create } from "@bufbuild/protobuf";
import { listenerName } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Reference, Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import type { RouteSource } from "./http-connection-manager.ts";
import { httpChain } from "./network-filters.ts";
import { encodeResource } from "./resource.ts";
import { listenAddresses } from "./wire-values.ts";

export interface HttpListenerInput {
  readonly bind: string;
  /** Addresses that it listens at besides. */
  readonly others?: readonly string[];
  readonly port: number;
  readonly direction: "inbound" | "outbound";
  readonly routes: RouteSource;
  readonly edge: boolean;
  /** Clusters that an inline route table names. */
  readonly clusters: readonly string[];
  readonly origin: Origin;
}

const directions = { inbound: TrafficDirection.INBOUND, outbound: TrafficDirection.OUTBOUND };

/** A listener that routes every connection request by request. */
export function compileHttpListener(input: HttpListenerInput): Resource {
  const { bind, others = [], port, direction, routes, edge, clusters, origin } = input;
  const name = listenerName(bind, port);
  const statPrefix = `${direction}_${name}`;
  const listener = create(ListenerSchema, {
    name,
    ...listenAddresses([bind, ...others], port),
    trafficDirection: directions[direction],
    filterChains: [httpChain({ statPrefix, routes, edge })],
  });
  const references: readonly Reference[] = [
    ...(routes.kind === "rds" ? [{ type: "RDS" as const, name: routes.name }] : []),
    ...clusters.map((cluster) => ({ type: "CDS" as const, name: cluster })),
  ];
  return encodeResource("LDS", name, ListenerSchema, trace(listener, origin), references);
}
