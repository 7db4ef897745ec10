import { create } from "@bufbuild/protobuf";
import { trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { compileEmptyCluster } from "./clusters.ts";
import { encodeResource } from "./resource.ts";

type Placeholder = (user: Resource, mesh: MeshSettings, name: string, reason: string) => Resource;

/**
 * What can stand for a missing resource of each type: it makes nobody wait, and lets nothing through. Types that are not here
 * have nothing of the kind.
 */
const placeholders: Readonly<Partial<Record<TypeName, Placeholder>>> = {
  /** Answers 503. */
  CDS: (_user, mesh, name, reason) => compileEmptyCluster(mesh, name, reason),
  /** Ends the warming of its cluster, which then answers 503. */
  EDS: (cluster, _mesh, name, reason) => emptyEndpoints(cluster, name, reason),
  /** Ends the warming of its listener, which then answers 404. */
  RDS: (_user, _mesh, name, reason) => {
    const table = create(RouteConfigurationSchema, { name });
    return encodeResource("RDS", name, RouteConfigurationSchema, trace(table, { kind: "repair", reason }), []);
  },
};

/** What stands at an Envoy for a missing resource that `user` names; empty where nothing can. */
export const compilePlaceholder = (
  user: Resource,
  mesh: MeshSettings,
  type: TypeName,
  name: string,
  reason: string,
): readonly Resource[] => {
  const placeholder = placeholders[type]?.(user, mesh, name, reason);
  return placeholder === undefined ? [] : [placeholder];
};

/** The endpoints of a cluster that has none; their version covers the cluster, as that of all endpoints does. */
export function emptyEndpoints({ version }: Resource, name: string, reason: string): Resource {
  const none = create(ClusterLoadAssignmentSchema, { clusterName: name });
  return encodeResource("EDS", name, ClusterLoadAssignmentSchema, trace(none, { kind: "repair", reason }), [], version);
}
