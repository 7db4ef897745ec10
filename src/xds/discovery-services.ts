import { type ResourceType, resourceTypes } from "../envoy/resource-types.ts";
import type { Connection } from "./connections.ts";
import { nobody, type ServeCall } from "./grpc/call.ts";
import type { StreamKind } from "./stream-kind.ts";

type Serve = ServeCall<Connection>;
type Method = readonly [path: string, serve: Serve];

const aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** ADS and one service for each type, in both variants as far as the type has them. */
export const discoveryMethods = (serve: (kind: StreamKind) => Serve): readonly Method[] => [
  [`${aggregated}/StreamAggregatedResources`, serve({ variant: "sotw" })],
  [`${aggregated}/DeltaAggregatedResources`, serve({ variant: "delta" })],
  ...resourceTypes.flatMap((type) => methodsOf(type, serve)),
];

function methodsOf({ short: only, service }: ResourceType, serve: (kind: StreamKind) => Serve): readonly Method[] {
  const { path, sotw, delta, fetch } = service;
  return [
    ...(sotw === undefined ? [] : [[`${path}/${sotw}`, serve({ variant: "sotw", only })] as const]),
    [`${path}/${delta}`, serve({ variant: "delta", only })],
    ...(fetch === undefined
      ? []
      : [[`${path}/${fetch}`, unserved(`${path}/${fetch}`, `${sotw} or ${delta}`)] as const]),
  ];
}

/** One answer to one request cannot be changed later: such methods are there to say so. */
const unserved =
  (path: string, instead: string): Serve =>
  (call) => {
    call.end("UNIMPLEMENTED", `${path} is not served: only streams are; use ${instead}, or ADS`);
    return nobody;
  };
