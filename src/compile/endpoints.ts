import { create } from "@bufbuild/protobuf";
import { trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { HealthStatus } from "../gen/envoy/config/core/v3/health_check_pb.ts";
import {
  type LbEndpoint,
  LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
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
import { fromInstance, fromService } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { socketAddress } from "./wire-values.ts";

/** The instances of a subset. */
export const withLabels = (instances: readonly Instance[], labels: Selector): readonly Instance[] =>
  instances.filter((instance) => selects(labels, instance.labels));

/** The endpoints of one cluster as a resource of their own. */
export function compileEndpoints(
  cluster: Resource,
  service: Service,
  port: ServicePort,
  instances: readonly Instance[],
): Resource {
  const assignment = loadAssignment(cluster.name, service, port, instances);
  return encodeResource("EDS", cluster.name, ClusterLoadAssignmentSchema, assignment, [], cluster.version);
}

/** Those of the instances that may take traffic, grouped by locality. */
export function loadAssignment(
  clusterName: string,
  service: Service,
  port: ServicePort,
  instances: readonly Instance[],
): ClusterLoadAssignment {
  const usable = instances.filter(
    (instance) =>
      instance.health !== "unhealthy" &&
      instance.weight > 0 &&
      listensOn(instance, port) &&
      (service.resolution.startsWith("dns") || isIpAddress(instance.address)),
  );
  const byLocality = Map.groupBy(withUniqueAddresses(usable, port), ({ locality }) => formatLocality(locality));
  const localities = [...byLocality].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const assignment = create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: localities.map((group) => localityEndpoints(service, port, group)),
  });
  return trace(assignment, fromService(service));
}

/** Two copies at one address are one endpoint: Envoy takes the first, gRPC would refuse them all. */
function withUniqueAddresses(instances: readonly Instance[], port: ServicePort): readonly Instance[] {
  const taken = new Set<string>();
  return instances.filter((instance) => {
    const keys = addressesOf(instance).map((address) => `${address} ${portOf(instance, port)}`);
    if (keys.some((key) => taken.has(key))) return false;
    for (const key of keys) taken.add(key);
    return true;
  });
}

function localityEndpoints(service: Service, port: ServicePort, instances: readonly Instance[]): LocalityLbEndpoints {
  const [first] = instances;
  const { region = "", zone = "", subzone = "" } = first?.locality ?? {};
  return create(LocalityLbEndpointsSchema, {
    // gRPC refuses a group without this message; to Envoy an empty one is none.
    locality: { region, zone, subZone: subzone },
    loadBalancingWeight: Math.min(
      0xffff_ffff,
      instances.reduce((sum, { weight }) => sum + weight, 0),
    ),
    lbEndpoints: instances.map((instance) => lbEndpoint(service, port, instance)),
  });
}

/** A port may have any name, `constructor` too. */
export const portOf = ({ ports }: Instance, { name, number }: ServicePort): number =>
  Object.hasOwn(ports, name) ? (ports[name] ?? number) : number;

const healthStatus: Readonly<Record<Exclude<Health, "unhealthy">, HealthStatus>> = {
  healthy: HealthStatus.UNKNOWN,
  draining: HealthStatus.DRAINING,
};

function lbEndpoint(service: Service, port: ServicePort, instance: Instance): LbEndpoint {
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
    healthStatus: instance.health === "unhealthy" ? HealthStatus.UNHEALTHY : healthStatus[instance.health],
    loadBalancingWeight: instance.weight,
  });
  return trace(endpoint, fromInstance(service, instance));
}
