import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { JsonPointer } from "../base/json-pointer.ts";
import { memoize } from "../base/memo.ts";
import { type Cluster, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { type Listener, ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { type RouteConfiguration, RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { type Origin, originsAt } from "./provenance.ts";
import type { Resource, ResourceSet } from "./resource-set.ts";

export type { Cluster } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
export type { ClusterLoadAssignment } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
export type { Listener } from "../gen/envoy/config/listener/v3/listener_pb.ts";

/** The types of resources that decide where a request goes. */
export type RoutingType = "LDS" | "RDS" | "CDS" | "EDS";

/** A part of a resource. */
export interface ResourcePlace {
  readonly type: RoutingType;
  readonly name: string;
  readonly pointer: JsonPointer;
}

/** What a proxy has, as messages, each decoded when it is asked for. */
export interface ProxyResources {
  readonly listeners: () => readonly Listener[];
  readonly routeTable: (name: string) => RouteConfiguration | undefined;
  readonly cluster: (name: string) => Cluster | undefined;
  /** By the name that the cluster gives to its endpoints. */
  readonly endpoints: (name: string) => ClusterLoadAssignment | undefined;
  /** Nobody where it is not known. */
  readonly originsAt: (place: ResourcePlace) => readonly Origin[];
}

/** Of a compiled set. */
export const resourcesIn = memoize(({ resources }: ResourceSet): ProxyResources => {
  const message =
    <T>(type: RoutingType, decode: (resource: Resource) => T) =>
    (name: string): T | undefined => {
      const resource = resources[type].get(name);
      return resource && decode(resource);
    };
  return {
    listeners: () => [...resources.LDS.values()].map(listenerIn),
    routeTable: message("RDS", routeTableIn),
    cluster: message("CDS", clusterIn),
    endpoints: message("EDS", endpointsIn),
    originsAt: ({ type, name, pointer }) => {
      const resource = resources[type].get(name);
      return resource === undefined ? [] : originsAt(resource.provenance(), pointer);
    },
  };
});

const decoded = <D extends DescMessage>(schema: D): ((resource: Resource) => MessageShape<D>) =>
  memoize(({ bytes }: Resource) => fromBinary(schema, bytes));

const listenerIn = decoded(ListenerSchema);
const routeTableIn = decoded(RouteConfigurationSchema);
const clusterIn = decoded(ClusterSchema);
const endpointsIn = decoded(ClusterLoadAssignmentSchema);
