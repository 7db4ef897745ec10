import {
  type MethodDefinition,
  type ServerDuplexStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type ResourceType, resourceTypes } from "../envoy/resource-types.ts";
import type { ServedService } from "./services/served-service.ts";
import type { StreamKind } from "./stream-kind.ts";

export type DiscoveryCall = ServerDuplexStream<Buffer, Buffer>;

type Serve = (kind: StreamKind) => (call: DiscoveryCall) => void;

interface Method {
  readonly path: string;
  readonly streams: boolean;
  readonly handle: UntypedHandleCall;
}

const aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** ADS and one service for each type, in both variants as far as the type has them. */
export const discoveryServices = (serve: Serve): readonly ServedService[] => [
  served([
    stream(`${aggregated}/StreamAggregatedResources`, serve({ variant: "sotw" })),
    stream(`${aggregated}/DeltaAggregatedResources`, serve({ variant: "delta" })),
  ]),
  ...resourceTypes.map((type) => served(methodsOf(type, serve))),
];

function methodsOf({ short: only, service }: ResourceType, serve: Serve): readonly Method[] {
  const { path, sotw, delta, fetch } = service;
  return [
    ...(sotw === undefined ? [] : [stream(`${path}/${sotw}`, serve({ variant: "sotw", only }))]),
    stream(`${path}/${delta}`, serve({ variant: "delta", only })),
    ...(fetch === undefined ? [] : [unserved(`${path}/${fetch}`, `${sotw} or ${delta}`)]),
  ];
}

const stream = (path: string, handle: (call: DiscoveryCall) => void): Method => ({ path, streams: true, handle });

/** One answer to one request cannot be changed later: such methods are there to say so. */
function unserved(path: string, instead: string): Method {
  const details = `${path} is not served: only streams are; use ${instead}, or ADS`;
  const handle = (_call: unknown, answer: sendUnaryData<Buffer>): void =>
    answer({ code: status.UNIMPLEMENTED, details });
  return { path, streams: false, handle };
}

function served(methods: readonly Method[]): ServedService {
  const definition: Record<string, MethodDefinition<Buffer, Buffer>> = {};
  const handlers: UntypedServiceImplementation = {};
  for (const { path, streams, handle } of methods) {
    definition[path] = {
      path,
      requestStream: streams,
      responseStream: streams,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    handlers[path] = handle;
  }
  return { definition: definition satisfies ServiceDefinition, handlers };
}

/** The bytes pass as they are: requests are read by the session, responses are ready. */
const asIs = (bytes: Buffer): Buffer => bytes;
