import type { Resource } from "../envoy/resource-set.ts";
import type { Instance } from "../model/instance.ts";
import type { ServicePort } from "../model/port.ts";
import type { Distribution, Service } from "../model/service.ts";
import { byNearness, type Place, placeFor } from "./distribution.ts";
import { encodeEndpoints } from "./endpoints.ts";

/** What the endpoints of a service that wants to be called from nearby are made of. */
interface Making {
  readonly cluster: Resource;
  readonly service: Service;
  readonly distribution: Distribution;
  readonly port: ServicePort;
  readonly instances: readonly Instance[];
}

const makings = new WeakMap<Resource, Making>();

/** The endpoints of one cluster as a resource of their own, for clients of which nobody knows where they are. */
export function compileEndpoints(
  cluster: Resource,
  service: Service,
  port: ServicePort,
  instances: readonly Instance[],
): Resource {
  const made = encodeEndpoints(cluster, service, port, [instances]);
  const { distribution } = service;
  if (distribution !== undefined) makings.set(made, { cluster, service, distribution, port, instances });
  return made;
}

/** What has to be known of a client before its endpoints are; none: all clients get the same. */
export function placeAskedBy(endpoints: Resource, place: Place): readonly string[] | undefined {
  const making = makings.get(endpoints);
  return making && placeFor(making.distribution, place);
}

/** The same endpoints as a client in some place gets them; `place` as `placeAskedBy` has it. */
export function placeEndpoints(endpoints: Resource, ...place: readonly string[]): Resource {
  const making = makings.get(endpoints);
  if (making === undefined) return endpoints;
  const { cluster, service, distribution, port, instances } = making;
  return encodeEndpoints(cluster, service, port, byNearness(distribution, instances, place));
}
