import { memoize } from "../base/memo.ts";
import {
  type MatchingRoute,
  type Route,
  type RouteConfiguration,
  tlsRedirectOf,
  type VirtualHost,
} from "../envoy/route-messages.ts";
import { type Action, actionsOf } from "./action.ts";
import { bySegment } from "./by-segment.ts";
import type { Condition } from "./condition.ts";
import { type Facts, factsOf, type Request } from "./request.ts";
import { type RouteConditions, routeConditions } from "./route-conditions.ts";
import type { Semantics } from "./semantics.ts";
import { createHostFinder, type FoundHost } from "./virtual-host.ts";

/** A route of a virtual host, by its place. */
export interface FoundRoute {
  readonly index: number;
  readonly route: MatchingRoute;
}

/** What becomes of a request in a route table. */
export type RouteOutcome =
  /** `conditions`: all that it asks for, and found. `share`: the part of what comes so far that it takes, above 0 and up to 1. */
  | (FoundRoute & { readonly kind: "route"; readonly conditions: readonly Condition[]; readonly share: number })
  /** The virtual host wants TLS: 301 to the same with https. */
  | { readonly kind: "tls-redirect" }
  /** 404. */
  | { readonly kind: "no-route" };

export interface TableDecision {
  readonly facts: Facts;
  /** undefined: none takes the authority. */
  readonly host: FoundHost | undefined;
  /** One, unless routes take a part of the requests: then each may happen, the last one to those that none before it took. */
  readonly outcomes: readonly RouteOutcome[];
}

/** A route that would have come before the one that was found, and what was in its way. */
export interface NearMiss extends FoundRoute {
  /** The conditions that do not hold. None: it takes no share of the requests. */
  readonly failed: readonly Condition[];
}

export interface RouteTable {
  /** As Envoy's router decides on a request that the HTTP connection manager has let through. */
  readonly decide: (request: Request) => TableDecision;
  /** What the route does with the request: one, or one of several by their shares; none: no cluster is named, which is 503. */
  readonly actionsOf: (decision: TableDecision, route: MatchingRoute) => readonly Action[];
  /** The routes before the first that may take the request; all of the virtual host's where none does. */
  readonly nearMisses: (decision: TableDecision) => readonly NearMiss[];
}

interface Candidate extends FoundRoute, RouteConditions {}

/** The routes of one virtual host. */
interface Candidates {
  readonly all: readonly Candidate[];
  /** Those that a path can be for, and maybe others. */
  readonly likelyFor: (barePath: string) => readonly Candidate[];
}

/** Remembered by the table. Throws `Unsupported` when it meets a matcher that it cannot carry out. */
export const routeTable = memoize((config: RouteConfiguration, semantics: Semantics): RouteTable => {
  const findHost = createHostFinder(config);
  const manner = { ...semantics, ignoresParameters: config.ignorePathParametersInPathMatching };
  const candidatesOf = memoize((host: VirtualHost): Candidates => {
    const all = host.routes.flatMap((route, index) =>
      isMatching(route) ? [{ index, route, ...routeConditions(route.match, "/match", manner) }] : [],
    );
    // Parameters that are left out may be of the first segment.
    return { all, likelyFor: manner.ignoresParameters ? () => all : bySegment(all, ({ route }) => route.match) };
  });
  return {
    decide(request) {
      const facts = factsOf(request, semantics);
      const host = findHost(facts.authority);
      if (host === undefined) return { facts, host, outcomes: [{ kind: "no-route" }] };
      if (isRedirected(host.host, facts)) return { facts, host, outcomes: [{ kind: "tls-redirect" }] };
      return { facts, host, outcomes: outcomesAmong(candidatesOf(host.host).likelyFor(facts.barePath), facts) };
    },
    actionsOf: ({ facts, host }, route) =>
      host === undefined ? [] : actionsOf(route, { table: config, host: host.host }, facts, semantics),
    nearMisses({ facts, host, outcomes: [first] }) {
      if (host === undefined || first?.kind === "tls-redirect") return [];
      const before = first?.kind === "route" ? first.index : Number.POSITIVE_INFINITY;
      return candidatesOf(host.host)
        .all.filter(({ index }) => index < before)
        .map(({ index, route, conditions }) => ({
          ...{ index, route },
          failed: conditions.filter(({ holds }) => !holds(facts)),
        }));
    },
  };
});

const isMatching = (route: Route): route is MatchingRoute => route.match !== undefined;

/** Who comes by TLS, and inside callers where only outside ones are meant, go on. */
function isRedirected(host: VirtualHost, { scheme, header }: Facts): boolean {
  const who = tlsRedirectOf(host);
  if (who === "nobody" || scheme === "https") return false;
  return who === "everybody" || !header("x-envoy-internal").includes("true");
}

function outcomesAmong(candidates: readonly Candidate[], facts: Facts): readonly RouteOutcome[] {
  const outcomes: RouteOutcome[] = [];
  for (const { index, route, conditions, share } of candidates) {
    if (share === 0 || !conditions.every(({ holds }) => holds(facts))) continue;
    outcomes.push({ kind: "route", index, route, conditions, share });
    if (share === 1) return outcomes;
  }
  return [...outcomes, { kind: "no-route" }];
}
