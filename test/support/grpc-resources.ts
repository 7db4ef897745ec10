import { create } from "@bufbuild/protobuf";
import { compileServerListeners } from "../../src/compile/proxyless-listeners.ts";
import { encodeResource } from "../../src/compile/resource.ts";
import { routeTable } from "../../src/compile/route-table.ts";
import { duration, overAds, socketAddress } from "../../src/compile/wire-values.ts";
import { packAny } from "../../src/envoy/pack.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import {
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteSchema, VirtualHostSchema } from "../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { RouterSchema } from "../../src/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";

/** Hand-made resources for gRPC clients, where a test wants what no compiler would make. */

/** What is dialled, routed by the table `table`. */
export function listener(name: string, table: string): Resource {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: "rds", value: { configSource: overAds(), routeConfigName: table } },
    httpFilters: [
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) },
      },
    ],
  });
  const message = create(ListenerSchema, {
    name,
    apiListener: { apiListener: packAny(HttpConnectionManagerSchema, manager) },
  });
  return encodeResource("LDS", name, ListenerSchema, message, [{ type: "RDS", name: table }]);
}

/** Where calls go. */
export interface RouteTo {
  readonly cluster: string;
  /** Only calls that carry the header `to` with this value. */
  readonly to?: string;
}

/** A table for every host; `note` makes it another version. */
export function table(name: string, routes: readonly RouteTo[], note = ""): Resource {
  const host = create(VirtualHostSchema, {
    name: `all${note}`,
    domains: ["*"],
    routes: routes.map(({ cluster, to }) =>
      create(RouteSchema, {
        match: {
          pathSpecifier: { case: "prefix", value: "" },
          headers:
            to === undefined
              ? []
              : [
                  {
                    name: "to",
                    headerMatchSpecifier: {
                      case: "stringMatch",
                      value: { matchPattern: { case: "exact", value: to } },
                    },
                  },
                ],
        },
        action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: cluster } } },
      }),
    ),
  });
  const references = routes.map(({ cluster }) => ({ type: "CDS" as const, name: cluster }));
  return encodeResource("RDS", name, RouteConfigurationSchema, routeTable(name, [host]), references);
}

export interface ClusterOptions {
  /** gRPC takes no cluster of fixed addresses. */
  readonly bad?: boolean;
  /** Makes another version of it, in a field that gRPC does not read. */
  readonly connectTimeoutMs?: number;
  /** Bytes that nobody reads. */
  readonly paddingBytes?: number;
}

export function cluster(name: string, { bad, connectTimeoutMs, paddingBytes }: ClusterOptions = {}): Resource {
  const message = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: bad ? Cluster_DiscoveryType.STATIC : Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: overAds(), serviceName: name },
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
    ...(connectTimeoutMs !== undefined && { connectTimeout: duration(connectTimeoutMs) }),
    ...(paddingBytes !== undefined && { altStatName: "x".repeat(paddingBytes) }),
  });
  return encodeResource("CDS", name, ClusterSchema, message, [{ type: "EDS", name }]);
}

/** Copies on loopback. */
export function endpoints(name: string, ...ports: readonly number[]): Resource {
  const message = create(ClusterLoadAssignmentSchema, {
    clusterName: name,
    endpoints: [
      {
        locality: { region: "r1" },
        loadBalancingWeight: 1,
        lbEndpoints: ports.map((port) => ({
          hostIdentifier: { case: "endpoint" as const, value: { address: socketAddress("127.0.0.1", port) } },
          loadBalancingWeight: 1,
        })),
      },
    ],
  });
  return encodeResource("EDS", name, ClusterLoadAssignmentSchema, message, []);
}

/** What a gRPC server waits for, as the compiler makes it. */
export const serverListeners = (port: number): readonly Resource[] => compileServerListeners(defaultMeshSettings, port);
