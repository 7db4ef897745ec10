import {
  addressText,
  type Cluster,
  type ClusterLoadAssignment,
  discoveryOf,
  healthOf,
  type LbEndpoint,
} from "../envoy/cluster-messages.ts";
import { type Around, around, type Configuration, originsOf, type PlacedOrigin, within } from "./places.ts";

/** One instance that a request may reach. */
export interface ExplainedEndpoint {
  /** With its port; or the path of a socket. */
  readonly address: string;
  /** Where the same instance is tried, too, with their ports. */
  readonly otherAddresses?: readonly string[];
  /** Absent: not known. */
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** Those of priority 0 are taken while enough of them are healthy, then those of 1, and so on. */
  readonly priority: number;
  /** Beside the others of its locality; 1 where nothing is said. */
  readonly weight: number;
  /** Of its locality beside the others of the same priority; absent: localities have none. */
  readonly localityWeight?: number;
  /** As the control plane says it. */
  readonly health: string;
  readonly origins: readonly PlacedOrigin[];
}

/** Where a cluster leads. */
export type ExplainedCluster =
  | { readonly kind: "missing" }
  | { readonly kind: "endpoints"; readonly endpoints: readonly ExplainedEndpoint[] }
  /** To the address that the client dialled, if the listener knows it; else to nobody. */
  | {
      readonly kind: "original-destination";
      readonly isKnown: boolean;
      /** With its port, where it is known here too. */
      readonly address?: string;
    }
  /** To an address that its own kind finds, which we cannot know. */
  | { readonly kind: "other"; readonly type: string };

/** Whether there is somebody to send to, as far as that is known. */
export function leadsSomewhere(cluster: ExplainedCluster): boolean {
  switch (cluster.kind) {
    case "missing":
      return false;
    case "endpoints":
      return cluster.endpoints.length > 0;
    case "original-destination":
      return cluster.isKnown;
    case "other":
      return true;
  }
}

/** How deep clusters may lead to other clusters. */
const maxDepth = 8;

export function explainCluster(configuration: Configuration, name: string, depth = 0): ExplainedCluster {
  const cluster = configuration.resources.cluster(name);
  if (cluster === undefined) return { kind: "missing" };
  const discovery = discoveryOf(cluster);
  switch (discovery.kind) {
    case "eds":
      return fromEndpoints(configuration, discovery.name);
    case "inside":
      return fromCluster(configuration, cluster);
    case "original-destination":
      return { kind: "original-destination", isKnown: true };
    case "aggregate": {
      const all =
        depth < maxDepth ? discovery.clusters.map((one) => explainCluster(configuration, one, depth + 1)) : [];
      return { kind: "endpoints", endpoints: inTurn(all) };
    }
    case "other":
      return { kind: "other", type: discovery.name };
  }
}

/** The endpoints of one cluster after those of the one before, by priority. */
function inTurn(clusters: readonly ExplainedCluster[]): readonly ExplainedEndpoint[] {
  let next = 0;
  return clusters.flatMap((cluster) => {
    const endpoints = cluster.kind === "endpoints" ? cluster.endpoints : [];
    const first = next;
    next += 1 + Math.max(-1, ...endpoints.map(({ priority }) => priority));
    return endpoints.map((endpoint) => ({ ...endpoint, priority: first + endpoint.priority }));
  });
}

function fromEndpoints(configuration: Configuration, name: string): ExplainedCluster {
  const assignment = configuration.resources.endpoints(name);
  const endpoints = assignment === undefined ? [] : endpointsIn(assignment, around(configuration, "EDS", name));
  return { kind: "endpoints", endpoints };
}

function fromCluster(configuration: Configuration, { name, loadAssignment }: Cluster): ExplainedCluster {
  const place = around(configuration, "CDS", name, "/loadAssignment");
  return { kind: "endpoints", endpoints: loadAssignment === undefined ? [] : endpointsIn(loadAssignment, place) };
}

/** In the order of priorities. */
function endpointsIn({ endpoints }: ClusterLoadAssignment, place: Around): readonly ExplainedEndpoint[] {
  return endpoints
    .flatMap(({ locality, priority, loadBalancingWeight, lbEndpoints }, i) =>
      lbEndpoints.map((endpoint, j): ExplainedEndpoint => {
        const origins = originsOf(within(place, `/endpoints/${i}/lbEndpoints/${j}`));
        const others = otherAddressesOf(endpoint);
        return {
          address: addressOf(endpoint),
          ...(others.length > 0 && { otherAddresses: others }),
          ...(locality && { locality: { region: locality.region, zone: locality.zone, subzone: locality.subZone } }),
          ...{ priority, weight: endpoint.loadBalancingWeight ?? 1 },
          ...(loadBalancingWeight !== undefined && { localityWeight: loadBalancingWeight }),
          ...{ health: healthOf(endpoint.healthStatus), origins },
        };
      }),
    )
    .sort((a, b) => a.priority - b.priority);
}

const addressOf = ({ hostIdentifier: host }: LbEndpoint): string =>
  host.case === "endpoint" ? addressText(host.value.address) : (host.value ?? "");

const otherAddressesOf = ({ hostIdentifier: host }: LbEndpoint): readonly string[] =>
  host.case === "endpoint" ? host.value.additionalAddresses.map(({ address }) => addressText(address)) : [];
