import { create } from "@bufbuild/protobuf";
import type { Origin } from "../envoy/provenance.ts";
import { VirtualHostSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { defaultRoute } from "./routes.ts";

/** The table of calls to the workload, whatever their host is. `servicePort`: the number that clients call. */
export function inboundRoutes(cluster: string, servicePort: number, origin: Origin): RouteConfiguration {
  const host = create(VirtualHostSchema, {
    name: `inbound|http|${servicePort}`,
    domains: ["*"],
    routes: [defaultRoute(cluster, origin)],
  });
  return create(RouteConfigurationSchema, { name: cluster, virtualHosts: [host], validateClusters: false });
}
