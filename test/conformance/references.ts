import { fromBinary } from "@bufbuild/protobuf";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/scoped_route_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import type { ResourceKey } from "./resources.ts";

/** What the resources of the suite (`resources.ts`) name; other messages may name more. */
export function referencesOf(type: TypeName, bytes: Uint8Array): readonly ResourceKey[] {
  return readers[type]?.(bytes) ?? [];
}

const readers: Readonly<Partial<Record<TypeName, (bytes: Uint8Array) => readonly ResourceKey[]>>> = {
  CDS: (bytes) => {
    const { name, clusterDiscoveryType, edsClusterConfig } = fromBinary(ClusterSchema, bytes);
    return clusterDiscoveryType.value === Cluster_DiscoveryType.EDS
      ? [{ type: "EDS", name: edsClusterConfig?.serviceName || name }]
      : [];
  },
  LDS: (bytes) =>
    fromBinary(ListenerSchema, bytes).filterChains.flatMap(({ filters }) =>
      filters.flatMap(({ configType }) => {
        if (
          configType.case !== "typedConfig" ||
          !configType.value.typeUrl.endsWith(HttpConnectionManagerSchema.typeName)
        )
          return [];
        const { routeSpecifier, httpFilters } = fromBinary(HttpConnectionManagerSchema, configType.value.value);
        const extensions = httpFilters
          .filter((filter) => filter.configType.case === "configDiscovery")
          .map(({ name }) => ({ type: "ECDS", name }) as const);
        if (routeSpecifier.case === "rds")
          return [...extensions, { type: "RDS", name: routeSpecifier.value.routeConfigName }];
        return routeSpecifier.case === "routeConfig"
          ? [...extensions, ...clustersOf(routeSpecifier.value)]
          : extensions;
      }),
    ),
  RDS: (bytes) => clustersOf(fromBinary(RouteConfigurationSchema, bytes)),
  SRDS: (bytes) => {
    const { routeConfigurationName: name } = fromBinary(ScopedRouteConfigurationSchema, bytes);
    return name === "" ? [] : [{ type: "RDS", name }];
  },
};

function clustersOf({ virtualHosts }: RouteConfiguration): readonly ResourceKey[] {
  const names = virtualHosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) => {
      if (action.case !== "route") return [];
      const { clusterSpecifier } = action.value;
      if (clusterSpecifier.case === "cluster") return [clusterSpecifier.value];
      return clusterSpecifier.case === "weightedClusters"
        ? clusterSpecifier.value.clusters.map(({ name }) => name)
        : [];
    }),
  );
  return [...new Set(names)].map((name) => ({ type: "CDS", name }));
}
