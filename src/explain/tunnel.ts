import type { TcpProxy } from "../envoy/filter-messages.ts";
import { destinationOf } from "./destination.ts";
import type { Outcome, Result } from "./explanation.ts";
import { type Around, originsOf, within } from "./places.ts";

/** Where the bytes of a connection go: to one cluster, or by weight to one of several. */
export function explainTunnel({ clusterSpecifier: wanted }: TcpProxy, place: Around): readonly Outcome[] {
  if (wanted.case === "cluster") return [{ share: 1, result: tunnelTo(wanted.value, within(place, "/cluster")) }];
  const clusters = wanted.value?.clusters ?? [];
  const whole = clusters.reduce((sum, { weight }) => sum + weight, 0);
  return clusters.flatMap(({ name, weight }, index) => {
    if (weight === 0) return [];
    const result = tunnelTo(name, within(place, `/weightedClusters/clusters/${index}/name`));
    return [{ share: weight / whole, result }];
  });
}

function tunnelTo(cluster: string, place: Around): Result {
  const origins = originsOf(place);
  const destination = destinationOf(place.configuration, cluster, origins);
  return destination.leadsTo.kind === "missing"
    ? { kind: "close", reason: `the proxy has no cluster ${JSON.stringify(cluster)}` }
    : { kind: "tunnel", ...destination, origins };
}
