import type {
  MatchingRoute,
  RouteAction,
  RouteConfiguration,
  VirtualHost,
  WeightedCluster,
} from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { Unsupported } from "./condition.ts";
import { type Mutations, mutated } from "./header-mutations.ts";
import { replaceAll, withPattern, withPolicy, withPrefix } from "./path-rewrite.ts";
import { type Facts, type Headers, portStart } from "./request.ts";
import type { Semantics } from "./semantics.ts";
import { expectedTimeoutMs } from "./timeouts.ts";

/** A request as it goes on to a cluster. Texts are bytes. */
export interface Forward {
  readonly cluster: string;
  /** Of the requests that the route takes, above 0 and up to 1. */
  readonly share: number;
  readonly path: string;
  /** Of the route; where `isNamedByEndpoint`, the name of the endpoint that is chosen takes its place, if it has one. */
  readonly authority: string;
  readonly isNamedByEndpoint: boolean;
  /** With those that Envoy adds, but for ids that are random, and what becomes of `grpc-timeout` where a stream may last so long only. */
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
  const before = withLimits(facts.values, action, host);
  return clustersOf(action, facts).map(({ cluster, share, mutations, hostRewrite }) => {
    const headers = [mutations, ...levels].reduce<Headers>(mutated, before);
    const authority = withTunnelPort(hostRewrite === "" ? facts.authority : asBytes(hostRewrite), facts);
    const newAuthority = authorityOf(action, headers, facts, semantics);
    const newPath = pathOf(action, route.match, facts, semantics);
    return {
      ...{ cluster, share },
      path: newPath ?? facts.path ?? "",
      authority: newAuthority ?? authority,
      isNamedByEndpoint: isNamedByEndpoint(action),
      headers: withOriginals(headers, {
        path: newPath === undefined ? undefined : facts.path,
        authority: newAuthority === undefined ? undefined : authority,
        isForwarded: action.appendXForwardedHost,
      }),
    };
  });
}

const withTunnelPort = (authority: string, { request: { tunnelPort } }: Facts): string =>
  tunnelPort === undefined || portStart(authority) !== undefined ? authority : `${authority}:${tunnelPort}`;

const isNamedByEndpoint = ({ hostRewriteSpecifier: wanted }: RouteAction): boolean =>
  wanted.case === "autoHostRewrite" && wanted.value.value;

/** How long the upstream may take, and which attempt it is, where that is asked for. */
function withLimits(headers: Headers, action: RouteAction, host: VirtualHost): Headers {
  const timeout = expectedTimeoutMs(action, host);
  return new Map([
    ...[...headers].filter(([name]) => name !== "x-envoy-upstream-stream-duration-ms"),
    ...(timeout === undefined ? [] : [["x-envoy-expected-rq-timeout-ms", [String(timeout)]] as const]),
    ...(host.includeRequestAttemptCount ? [["x-envoy-attempt-count", ["1"]] as const] : []),
  ]);
}

interface Originals {
  /** undefined: it stays. */
  readonly path: string | undefined;
  readonly authority: string | undefined;
  readonly isForwarded: boolean;
}

/** What a rewrite took away. */
function withOriginals(headers: Headers, { path, authority, isForwarded }: Originals): Headers {
  const next = new Map(headers);
  if (path !== undefined) next.set("x-envoy-original-path", [path]);
  if (authority !== undefined) {
    next.set("x-envoy-original-host", [authority]);
    const hosts = headers.get("x-forwarded-host")?.join() ?? "";
    if (isForwarded && hosts.split(",").at(-1) !== authority) {
      next.set("x-forwarded-host", [hosts === "" ? authority : `${hosts},${authority}`]);
    }
  }
  return next;
}

const nothing: Mutations = { requestHeadersToAdd: [], requestHeadersToRemove: [] };

function clustersOf({ clusterSpecifier: wanted }: RouteAction, facts: Facts): readonly ClusterChoice[] {
  const alone = (cluster: string): ClusterChoice => ({ cluster, share: 1, mutations: nothing, hostRewrite: "" });
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
  return wanted.clusters.flatMap((one) => {
    const { name, clusterHeader, weight = 0, hostRewriteSpecifier } = one;
    const begin = end;
    end += weight;
    const share = picked === undefined ? weight / whole : picked >= begin && picked < end ? 1 : 0;
    if (share === 0) return [];
    return (name === "" ? clusterNamed(clusterHeader, facts) : [name]).map((cluster) => ({
      ...{ cluster, share, mutations: one },
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

/** undefined: as it is. */
function pathOf(
  action: RouteAction,
  match: MatchingRoute["match"],
  facts: Facts,
  semantics: Semantics,
): string | undefined {
  if (action.pathRewritePolicy !== undefined) return withPolicy(match, action.pathRewritePolicy, facts, semantics);
  if (action.regexRewrite !== undefined) return withPattern(action.regexRewrite, facts, semantics);
  return action.prefixRewrite === "" ? undefined : withPrefix(match, action.prefixRewrite, facts);
}

/** `headers`: as they are sent on. undefined: there is no rewrite, or it comes to nothing. */
function authorityOf(
  { hostRewriteSpecifier: wanted }: RouteAction,
  headers: Headers,
  { barePath }: Facts,
  semantics: Semantics,
): string | undefined {
  switch (wanted.case) {
    case "hostRewriteLiteral":
      return asBytes(wanted.value) || undefined;
    case "hostRewriteHeader":
      return headers.get(wanted.value.toLowerCase())?.[0] || undefined;
    case "hostRewritePathRegex":
      return replaceAll(wanted.value, barePath, semantics) || undefined;
    default:
      return undefined;
  }
}
