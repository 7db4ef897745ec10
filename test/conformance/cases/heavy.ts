import { create, toBinary } from "@bufbuild/protobuf";
import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { RouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/route_pb.ts";
import type { RawResource } from "../resources.ts";

/** Types that there are heavy resources of. */
export type HeavyType = Extract<TypeName, "CDS" | "EDS" | "RDS">;

/** A resource of about `size` bytes, most of them one text. `revision` makes its content. */
export function heavy(type: HeavyType, name: string, size: number, revision = 1): RawResource {
  return { type, name, bytes: makers[type](name, `${revision}.${"x".repeat(size)}`) };
}

const makers: Readonly<Record<HeavyType, (name: string, text: string) => Uint8Array>> = {
  CDS: (name, altStatName) =>
    toBinary(
      ClusterSchema,
      create(ClusterSchema, {
        ...{ name, altStatName },
        clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      }),
    ),
  EDS: (clusterName, zone) =>
    toBinary(
      ClusterLoadAssignmentSchema,
      create(ClusterLoadAssignmentSchema, { clusterName, endpoints: [{ locality: { zone } }] }),
    ),
  RDS: (name, host) =>
    toBinary(
      RouteConfigurationSchema,
      create(RouteConfigurationSchema, { name, virtualHosts: [{ name: host, domains: ["*"] }] }),
    ),
};
