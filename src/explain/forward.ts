import type { MatchingRoute, RouteAction, RouteConfiguration, VirtualHost } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { Unsupported } from "./condition.ts";
import { type Mutations, mutated } from "./header-mutations.ts";
import { replaceAll, withPattern, withPrefix } from "./path-rewrite.ts";
import type { Facts, Headers } from "./request.ts";
import type { Semantics } from "./semantics.ts";

/** A request as it goes on to a cluster. Texts are bytes. */
export interface Forward {
  readonly cluster: string;
  /** Of the requests that the route takes, above 0 and up to 1. */
  readonly share: number;
  readonly path: string;
  readonly authority: string;
  readonly headers: Headers;
}

interface ClusterChoice {
  readonly cluster: string;
  readonly share: number;
  readonly mutations: Mutations;
  readonly hostRewrite: string;
}

/** Where a route leads: to one cluster, or by weight to one of several. None: the header that is to name it is missing. */
export function forwardsOf(
  action: RouteAction,
  route: MatchingRoute,
  { table, host }: { readonly table: RouteConfiguration; readonly host: VirtualHost },
  facts: Facts,
  semantics: Semantics,
): readonly Forward[] {
  // What is said nearest to the route goes first, so that a table has the last word; unless it is asked for otherwise.
  const levels = table.mostSpecificHeaderMutationsWins ? [table, host, route] : [route, host, table];
  return clustersOf(action, facts).map(({ cluster, share, mutations, hostRewrite }) => {
    const headers = [mutations, ...levels].reduce<Headers>(mutated, facts.values);
    const authority = hostRewrite === "" ? facts.authority : asBytes(hostRewrite);
    return {
      ...{ cluster, share, headers },
      path: pathOf(action, route.match, facts, semantics),
      authority: authorityOf(action, authority, headers, facts, semantics),
    };
  });
}

const nothing: Mutations = { requestHeadersToAdd: [], requestHeadersToRemove: [] };

function clustersOf({ clusterSpecifier: wanted }: RouteAction, facts: Facts): readonly ClusterChoice[] {
  const alone = (cluster: string): ClusterChoice => ({ cluster, share: 1, mutations: nothing, hostRewrite: "" });
  switch (wanted.case) {
    case "cluster":
      return [alone(wanted.value)];
    case "clusterHeader":
      return facts.header(wanted.value.toLowerCase()).slice(0, 1).map(alone);
    case "weightedClusters": {
      const { clusters } = wanted.value;
      const whole = clusters.reduce((sum, { weight = 0 }) => sum + weight, 0);
      return clusters.flatMap((one) => {
        const { name: cluster, weight = 0, hostRewriteSpecifier } = one;
        return weight === 0
          ? []
          : [{ cluster, share: weight / whole, mutations: one, hostRewrite: hostRewriteSpecifier.value ?? "" }];
      });
    }
    default:
      throw new Unsupported("a cluster specifier of its own kind", `/route/${wanted.case ?? ""}`);
  }
}

function pathOf(action: RouteAction, match: MatchingRoute["match"], facts: Facts, semantics: Semantics): string {
  if (action.regexRewrite !== undefined) return withPattern(action.regexRewrite, facts, semantics);
  return action.prefixRewrite === "" ? (facts.path ?? "") : withPrefix(match, action.prefixRewrite, facts);
}

/** `headers`: as they are sent on. A rewrite that comes to nothing leaves the authority as it is. */
function authorityOf(
  { hostRewriteSpecifier: wanted }: RouteAction,
  authority: string,
  headers: Headers,
  { barePath }: Facts,
  semantics: Semantics,
): string {
  switch (wanted.case) {
    case "hostRewriteLiteral":
      return asBytes(wanted.value) || authority;
    case "hostRewriteHeader":
      return headers.get(wanted.value.toLowerCase())?.[0] || authority;
    case "hostRewritePathRegex":
      return replaceAll(wanted.value, barePath, semantics) || authority;
    default:
      return authority;
  }
}
