import { create } from "@bufbuild/protobuf";
import { outboundClusterName } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { Cluster_DiscoveryType, Cluster_LbPolicy, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import type { DestinationPolicy } from "./destination-policy.ts";
import { fromService } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { overAds } from "./wire-values.ts";

/** A gRPC client's cluster for one port of a service, or of one subset of it (an index into the policy's subsets). */
export function compileClientCluster(
  service: Service,
  port: ServicePort,
  policy: DestinationPolicy | undefined,
  subsetIndex: number | undefined,
): Resource {
  const subset = subsetIndex === undefined ? undefined : policy?.subsets[subsetIndex];
  const name = outboundClusterName(port.number, subset?.subset.name ?? "", service.hostname);
  return clientCluster(name, [...(subset === undefined ? [] : [subset.origin]), fromService(service)]);
}

/**
 * A cluster that nobody is in, and its endpoints: calls fail at once. gRPC takes no cluster without endpoints of their own, and
 * waits for a cluster that is missing.
 */
export function compileEmptyClientCluster(_mesh: MeshSettings, name: string, reason: string): readonly Resource[] {
  const cluster = clientCluster(name, [{ kind: "repair", reason }]);
  const assignment = trace(create(ClusterLoadAssignmentSchema, { clusterName: name }), { kind: "repair", reason });
  return [cluster, encodeResource("EDS", name, ClusterLoadAssignmentSchema, assignment, [], cluster.version)];
}

/** Round robin is the one load balancer that every gRPC client has. */
function clientCluster(name: string, origins: readonly Origin[]): Resource {
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { edsConfig: overAds(), serviceName: name },
    lbPolicy: Cluster_LbPolicy.ROUND_ROBIN,
  });
  return encodeResource("CDS", name, ClusterSchema, trace(cluster, origins), [{ type: "EDS", name }]);
}
