import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { HealthStatus } from "../gen/envoy/config/core/v3/health_check_pb.ts";
import {
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  type LocalityLbEndpointsSchema,
} from "../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { addressesOf, type Health, type Instance, listensOn } from "../model/instance.ts";
import { isIpAddress } from "../model/ip-address.ts";
import { type Selector, selects } from "../model/labels.ts";
import { formatLocality } from "../model/locality.ts";
import type { ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import { prefersNear } from "./distribution.ts";
import { fromInstance, fromService } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { socketAddress } from "./wire-values.ts";

/** The instances of a subset. */
export const withLabels = (instances: readonly Instance[], labels: Selector): readonly Instance[] =>
  instances.filter((instance) => selects(labels, instance.labels));

/** The endpoints of one cluster as a resource of their own; `groups` as `loadAssignment` has them. */
export function encodeEndpoints(
  cluster: Resource,
  service: Service,
  port: ServicePort,
  groups: readonly (readonly Instance[])[],
): Resource {
  const assignment = loadAssignment(cluster.name, service, port, ...groups);
  return encodeResource("EDS", cluster.name, ClusterLoadAssignmentSchema, assignment, [], cluster.version);
}

/**
 * Those of the instances that may take traffic, grouped by locality. `groups`: each is used as far as those before it have not enough
 * healthy ones, and becomes a priority.
 */
export function loadAssignment(
  clusterName: string,
  service: Service,
  port: ServicePort,
  ...groups: readonly (readonly Instance[])[]
): ClusterLoadAssignment {
  const isUsable = (instance: Instance): boolean =>
    // Who has a choice is told of unhealthy ones, so that it sees how much of a group is left.
    (instance.health !== "unhealthy" || prefersNear(service)) &&
    instance.weight > 0 &&
    listensOn(instance, port) &&
    (service.resolution.startsWith("dns") || isIpAddress(instance.address));
  const isFirst = createAddressFilter(port);
  const priorities = groups
    .map((group) => group.filter((instance) => isUsable(instance) && isFirst(instance)))
    .filter(({ length }) => length > 0);
  const status = statuses(priorities.flat());
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: priorities.flatMap((group, priority) =>
      byLocality(group).map((list) => ({
        ...localityEndpoints(list),
        priority,
        lbEndpoints: list.map((instance) => lbEndpoint(service, port, instance, status[instance.health])),
      })),
    ),
  });
  return trace(assignment, fromService(service));
}

const byLocality = (instances: readonly Instance[]): readonly (readonly Instance[])[] =>
  [...Map.groupBy(instances, ({ locality }) => formatLocality(locality))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group);

/** Two copies at one address are one endpoint: Envoy takes the first, gRPC would refuse them all. */
function createAddressFilter(port: ServicePort): (instance: Instance) => boolean {
  const taken = new Set<string>();
  return (instance) => {
    const keys = addressesOf(instance).map((address) => `${address} ${portOf(instance, port)}`);
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  };
}

function localityEndpoints(instances: readonly Instance[]): LocalityInit {
  const [first] = instances;
  const { region = "", zone = "", subzone = "" } = first?.locality ?? {};
  return {
    // gRPC refuses a group without this message; to Envoy an empty one is none.
    locality: { region, zone, subZone: subzone },
    loadBalancingWeight: Math.min(
      0xffff_ffff,
      instances.reduce((sum, { weight }) => sum + weight, 0),
    ),
  };
}

type LocalityInit = Exclude<MessageInitShape<typeof LocalityLbEndpointsSchema>, LocalityLbEndpoints>;

/** A port may have any name, `constructor` too. */
export const portOf = ({ ports }: Instance, { name, number }: ServicePort): number =>
  Object.hasOwn(ports, name) ? (ports[name] ?? number) : number;

/** Where nobody is healthy, those that drain are better than nobody: they are used as if they were. */
const statuses = (instances: readonly Instance[]): Readonly<Record<Health, HealthStatus>> => ({
  healthy: HealthStatus.UNKNOWN,
  draining: instances.some(({ health }) => health === "healthy") ? HealthStatus.DRAINING : HealthStatus.UNKNOWN,
  unhealthy: HealthStatus.UNHEALTHY,
});

function lbEndpoint(service: Service, port: ServicePort, instance: Instance, healthStatus: HealthStatus): LbEndpoint {
  const at = portOf(instance, port);
  const endpoint = create(LbEndpointSchema, {
    hostIdentifier: {
      case: "endpoint",
      value: {
        address: socketAddress(instance.address, at),
        // The client tries one after the other, each family in turn; it is one endpoint all the same.
        additionalAddresses: (instance.otherAddresses ?? []).map((address) => ({
          address: socketAddress(address, at),
        })),
      },
    },
    healthStatus,
    loadBalancingWeight: instance.weight,
  });
  return trace(endpoint, fromInstance(service, instance));
}
