import { serviceInClusterName } from "../envoy/names.ts";
import { explainCluster } from "./endpoints.ts";
import type { Destination, ServicePort } from "./explanation.ts";
import type { Configuration } from "./places.ts";

export function destinationOf(configuration: Configuration, cluster: string): Destination {
  const service = serviceOf(cluster);
  return { cluster, ...(service && { service }), leadsTo: explainCluster(configuration, cluster) };
}

function serviceOf(cluster: string): ServicePort | undefined {
  const named = serviceInClusterName(cluster);
  if (named === undefined) return undefined;
  const { hostname: host, port, subset, direction } = named;
  return { host, port, ...(subset !== "" && { subset }), direction };
}
