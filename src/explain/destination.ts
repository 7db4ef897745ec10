import { serviceInClusterName } from "../envoy/names.ts";
import { explainCluster } from "./endpoints.ts";
import type { Destination, ServicePort } from "./explanation.ts";
import type { Configuration, PlacedOrigin } from "./places.ts";
import { meaningOf } from "./special-clusters.ts";

/** `origins`: who leads there. */
export function destinationOf(
  configuration: Configuration,
  cluster: string,
  origins: readonly PlacedOrigin[],
): Destination {
  const service = serviceOf(cluster);
  const meaning = meaningOf(cluster, origins);
  return {
    cluster,
    ...(meaning !== undefined && { meaning }),
    ...(service && { service }),
    leadsTo: explainCluster(configuration, cluster),
  };
}

function serviceOf(cluster: string): ServicePort | undefined {
  const named = serviceInClusterName(cluster);
  if (named === undefined) return undefined;
  const { hostname: host, port, subset, direction } = named;
  return { host, port, ...(subset !== "" && { subset }), direction };
}
