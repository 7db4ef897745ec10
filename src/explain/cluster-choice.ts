import type { RouteAction, WeightedCluster } from "../envoy/route-messages.ts";
import { Unsupported } from "./condition.ts";
import type { Mutations } from "./header-mutations.ts";
import type { Facts } from "./request.ts";

/** One of the clusters that a route leads to. */
export interface ClusterChoice {
  readonly cluster: string;
  readonly clusterIndex: number | undefined;
  readonly share: number;
  readonly mutations: Mutations;
  readonly hostRewrite: string;
}

const nothing: Mutations = { requestHeadersToAdd: [], requestHeadersToRemove: [] };

/** The clusters that a route leads to, each with its share of what the route takes. Throws `Unsupported`. */
export function clustersOf({ clusterSpecifier: wanted }: RouteAction, facts: Facts): readonly ClusterChoice[] {
  const alone = (cluster: string): ClusterChoice => ({
    ...{ cluster, clusterIndex: undefined, share: 1 },
    ...{ mutations: nothing, hostRewrite: "" },
  });
  switch (wanted.case) {
    case "cluster":
      return [alone(wanted.value)];
    case "clusterHeader":
      return clusterNamed(wanted.value, facts).map(alone);
    case "weightedClusters":
      return weighted(wanted.value, facts);
    default:
      throw new Unsupported("a cluster specifier of its own kind", `/route/${wanted.case ?? ""}`);
  }
}

/** The first value, where there is one that is not empty. */
function clusterNamed(name: string, { header, values }: Facts): readonly string[] {
  const lower = name.toLowerCase();
  const [first = ""] = values.get(lower) ?? header(lower);
  return first === "" ? [] : [first];
}

/** The shares of those that a header is to name, and does not, are missing. */
function weighted(wanted: WeightedCluster, facts: Facts): readonly ClusterChoice[] {
  const whole = wanted.clusters.reduce((sum, { weight = 0 }) => sum + weight, 0);
  if (whole === 0) return [];
  const number = givenNumber(wanted, facts);
  const picked = number === undefined ? undefined : Number(number % BigInt(whole));
  let end = 0;
  return wanted.clusters.flatMap((one, clusterIndex) => {
    const { name, clusterHeader, weight = 0, hostRewriteSpecifier } = one;
    const begin = end;
    end += weight;
    const share = picked === undefined ? weight / whole : picked >= begin && picked < end ? 1 : 0;
    if (share === 0) return [];
    return (name === "" ? clusterNamed(clusterHeader, facts) : [name]).map((cluster) => ({
      ...{ cluster, clusterIndex, share, mutations: one },
      hostRewrite: hostRewriteSpecifier.value ?? "",
    }));
  });
}

const maxUint64 = 2n ** 64n - 1n;

/** The number that a request brings to choose by; undefined: it is left to chance. */
function givenNumber({ randomValueSpecifier: wanted }: WeightedCluster, { values }: Facts): bigint | undefined {
  const [text = "", ...more] = values.get(wanted.value?.toLowerCase() ?? "") ?? [];
  const number = more.length === 0 && /^\+?[0-9]+$/.test(text) ? BigInt(text.replace("+", "")) : undefined;
  return number === undefined || number > maxUint64 ? undefined : number;
}
