import { create } from "@bufbuild/protobuf";
import type { Origin } from "../envoy/provenance.ts";
import { VirtualHostSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { isGrpc, type Protocol } from "../model/port.ts";
import { routeTo } from "./routes.ts";

interface InboundCalls {
  /** Of the application. */
  readonly cluster: string;
  readonly protocol: Protocol;
  /** The number that clients call. */
  readonly servicePort: number;
  readonly origin: Origin;
}

/**
 * Whoever calls tries again already. Here only what the application has certainly not seen is worth another try; gRPC's own
 * statuses say when that is so.
 */
const tryAgain = { retryOn: "reset-before-request", numRetries: 2 };

/** The table of calls to the workload, whatever their host is. */
export function inboundRoutes({ cluster, protocol, servicePort, origin }: InboundCalls): RouteConfiguration {
  const host = create(VirtualHostSchema, {
    name: `inbound|http|${servicePort}`,
    domains: ["*"],
    routes: [routeTo(cluster, origin, isGrpc(protocol) ? undefined : tryAgain)],
  });
  return create(RouteConfigurationSchema, { name: cluster, virtualHosts: [host], validateClusters: false });
}
