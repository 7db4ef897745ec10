import type { JsonPointer } from "../base/json-pointer.ts";
import type { MatchingRoute, RouteAction, RouteConfiguration, VirtualHost } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { type ClusterChoice, clustersOf } from "./cluster-choice.ts";
import { type Mutations, mutated } from "./header-mutations.ts";
import { replaceAll, withPattern, withPolicy, withPrefix } from "./path-rewrite.ts";
import { type Facts, type Headers, portStart } from "./request.ts";
import type { Semantics } from "./semantics.ts";
import { expectedTimeoutMs } from "./timeouts.ts";

/** A request somewhere on its way. Texts are bytes. */
export interface Stage {
  readonly path: string | undefined;
  readonly authority: string;
  readonly headers: Headers;
}

/** Who changes a request on a route. `proxy`: by itself, for every request. */
export type StageLevel = "proxy" | "cluster" | "route" | "virtual-host" | "route-table";

/** What a level makes of what the one before made of it. `pointer`: which part of the level says so. */
export interface Step {
  readonly by: StageLevel;
  readonly pointer: JsonPointer;
  readonly stage: Stage;
}

/** A request as it goes on to a cluster. */
export interface Forward {
  readonly cluster: string;
  /** The cluster's place among several by weight. */
  readonly clusterIndex: number | undefined;
  /** Of the requests that the route takes, above 0 and up to 1. */
  readonly share: number;
  readonly path: string;
  /** Of the route; where `isNamedByEndpoint`, the name of the endpoint that is chosen takes its place, if it has one. */
  readonly authority: string;
  readonly isNamedByEndpoint: boolean;
  /** With those that Envoy adds, but for ids that are random, and what becomes of `grpc-timeout` where a stream may last so long only. */
  readonly headers: Headers;
  /** What was done to it, in order; the last one is as it is sent on. */
  readonly steps: readonly Step[];
}

interface Around {
  readonly table: RouteConfiguration;
  readonly host: VirtualHost;
}

/** Where a route leads: to one cluster, or by weight to one of several. None: the header that is to name it is missing. */
export function forwardsOf(
  action: RouteAction,
  route: MatchingRoute,
  around: Around,
  facts: Facts,
  semantics: Semantics,
): readonly Forward[] {
  return clustersOf(action, facts).map((choice) => {
    const steps = stepsTo(choice, action, route, around, facts, semantics);
    const { path = "", authority, headers } = steps.at(-1)?.stage ?? stageOf(facts);
    const { cluster, clusterIndex, share } = choice;
    return {
      ...{ cluster, clusterIndex, share, path, authority, headers, steps },
      isNamedByEndpoint: isNamedByEndpoint(action),
    };
  });
}

/** As it comes to the route. */
export const stageOf = ({ path, authority, values: headers }: Facts): Stage => ({ path, authority, headers });

function stepsTo(
  { mutations, hostRewrite }: ClusterChoice,
  action: RouteAction,
  route: MatchingRoute,
  { table, host }: Around,
  facts: Facts,
  semantics: Semantics,
): readonly Step[] {
  const steps: Step[] = [];
  let stage = stageOf(facts);
  const step = (by: StageLevel, pointer: JsonPointer, change: Partial<Stage>): void => {
    stage = { ...stage, ...change };
    steps.push({ by, pointer, stage });
  };
  step("proxy", "", { headers: withLimits(stage.headers, action, host) });
  const levels: readonly (readonly [StageLevel, Mutations])[] = [
    ["route", route],
    ["virtual-host", host],
    ["route-table", table],
  ];
  // What is said nearest to the route goes first, so that a table has the last word; unless it is asked for otherwise.
  const ordered = table.mostSpecificHeaderMutationsWins ? levels.toReversed() : levels;
  for (const [by, level] of [["cluster", mutations] as const, ...ordered]) {
    step(by, "/requestHeadersToAdd", { headers: mutated(stage.headers, level) });
  }
  const byCluster = hostRewrite === "" ? stage.authority : asBytes(hostRewrite);
  step("cluster", "/hostRewriteLiteral", { authority: withTunnelPort(byCluster, facts) });
  const path = pathOf(action, route.match, facts, semantics);
  if (path !== undefined) step("route", `/route/${pathField(action)}`, { path });
  const { authority: before } = stage;
  const authority = authorityOf(action, stage.headers, facts, semantics);
  if (authority !== undefined) step("route", `/route/${action.hostRewriteSpecifier.case}`, { authority });
  const originals = {
    path: path === undefined ? undefined : facts.path,
    authority: authority === undefined ? undefined : before,
    isForwarded: action.appendXForwardedHost,
  };
  step("proxy", "", { headers: withOriginals(stage.headers, originals) });
  return steps;
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

const pathField = ({ pathRewritePolicy, regexRewrite }: RouteAction): string =>
  pathRewritePolicy !== undefined ? "pathRewritePolicy" : regexRewrite !== undefined ? "regexRewrite" : "prefixRewrite";

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
