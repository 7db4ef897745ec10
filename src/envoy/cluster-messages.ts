import { formatHostPort } from "../base/host-port.ts";
import { type Cluster, Cluster_DiscoveryType } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { Address } from "../gen/envoy/config/core/v3/address_pb.ts";
import { HealthStatus } from "../gen/envoy/config/core/v3/health_check_pb.ts";
import { ClusterConfigSchema } from "../gen/envoy/extensions/clusters/aggregate/v3/cluster_pb.ts";
import { unpacked } from "./unpack.ts";

export type { Cluster } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
export type { LbEndpoint, LocalityLbEndpoints } from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
export type { ClusterLoadAssignment } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";

/** Where a cluster has its endpoints from. */
export type Discovery =
  /** Its own resource, by name. */
  | { readonly kind: "eds"; readonly name: string }
  /** They stand in the cluster. */
  | { readonly kind: "inside" }
  /** The address that the client dialled is the endpoint. */
  | { readonly kind: "original-destination" }
  /** Those of the first of these clusters that has any. */
  | { readonly kind: "aggregate"; readonly clusters: readonly string[] }
  | { readonly kind: "other"; readonly name: string };

export function discoveryOf({ name, clusterDiscoveryType: wanted, edsClusterConfig, lbConfig }: Cluster): Discovery {
  if (wanted.case === "clusterType") {
    const aggregate = wanted.value.typedConfig && unpacked(ClusterConfigSchema, wanted.value.typedConfig);
    if (aggregate !== undefined) return { kind: "aggregate", clusters: aggregate.clusters };
    return isInside.has(wanted.value.name) ? { kind: "inside" } : { kind: "other", name: wanted.value.name };
  }
  switch (wanted.value) {
    case Cluster_DiscoveryType.EDS:
      return { kind: "eds", name: edsClusterConfig?.serviceName || name };
    case Cluster_DiscoveryType.ORIGINAL_DST:
      if (lbConfig.case === "originalDstLbConfig" && (lbConfig.value.useHttpHeader || lbConfig.value.metadataKey)) {
        return { kind: "other", name: "what the request says" };
      }
      return { kind: "original-destination" };
    default:
      return { kind: "inside" };
  }
}

/** The names of Envoy's own kinds; of names that are looked up, it is the names that stand there. */
const isInside: ReadonlySet<string> = new Set([
  ...["envoy.cluster.static", "envoy.cluster.strict_dns", "envoy.cluster.logical_dns"],
  ...["envoy.cluster.dns", "envoy.clusters.dns"],
]);

const healthWords: Readonly<Record<HealthStatus, string>> = {
  [HealthStatus.UNKNOWN]: "unknown",
  [HealthStatus.HEALTHY]: "healthy",
  [HealthStatus.UNHEALTHY]: "unhealthy",
  [HealthStatus.DRAINING]: "draining",
  [HealthStatus.TIMEOUT]: "timeout",
  [HealthStatus.DEGRADED]: "degraded",
};

export const healthOf = (status: HealthStatus): string => healthWords[status] ?? "unknown";

/** `10.0.0.1:80`, `[::1]:80`, or the path of a pipe. */
export function addressText(address: Address | undefined): string {
  const where = address?.address;
  if (where?.case === "pipe") return where.value.path;
  if (where?.case !== "socketAddress") return "";
  const { address: host, portSpecifier: port } = where.value;
  return port.case === "portValue" ? formatHostPort({ host, port: port.value }) : host;
}
