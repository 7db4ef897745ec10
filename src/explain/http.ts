import type { HttpConnectionManager } from "../envoy/filter-messages.ts";
import type { MatchingRoute, RouteConfiguration, VirtualHost } from "../envoy/route-messages.ts";
import type { Action } from "./action.ts";
import type { Condition } from "./condition.ts";
import { destinationOf } from "./destination.ts";
import type {
  Change,
  ExplainedHost,
  ExplainedRoute,
  Explanation,
  Outcome,
  Result,
  RoutedRequest,
} from "./explanation.ts";
import type { Forward } from "./forward.ts";
import { type Around, originsOf, within } from "./places.ts";
import { policiesOf } from "./policies.ts";
import type { Facts, Request } from "./request.ts";
import { type FoundRoute, routeTable, type TableDecision } from "./route-table.ts";
import type { Semantics } from "./semantics.ts";
import type { FoundHost } from "./virtual-host.ts";

export type HttpExplanation = Pick<Explanation, "request" | "virtualHost" | "outcomes" | "nearMisses">;

export interface TableAround {
  readonly table: RouteConfiguration;
  /** Where it stands. */
  readonly place: Around;
  readonly manager: HttpConnectionManager;
}

/** What becomes of a request that the connection manager has let through. */
export function explainRouting(around: TableAround, request: Request, semantics: Semantics): HttpExplanation {
  const table = routeTable(around.table, semantics);
  const decision = table.decide(request);
  const { facts, host } = decision;
  const hostPlace = host && within(around.place, `/virtualHosts/${host.index}`);
  const outcomes: Outcome[] = [];
  let rest = 1;
  for (const outcome of decision.outcomes) {
    if (outcome.kind !== "route" || host === undefined || hostPlace === undefined) {
      outcomes.push({ share: rest, result: unroutedResult(outcome.kind, around.table, decision) });
      continue;
    }
    const taken = rest * outcome.share;
    rest -= taken;
    const route = explainedRoute(outcome, outcome.conditions, hostPlace);
    const actions = table.actionsOf(decision, outcome.route);
    if (actions.length === 0) {
      const reason = "the header that is to name the cluster is missing";
      outcomes.push({ share: taken, route, result: { kind: "answer", status: 503, reason } });
    }
    for (const action of actions) {
      const share = action.kind === "forward" ? taken * action.share : taken;
      const result = resultOf(action, outcome, { around, host, hostPlace, facts, semantics });
      outcomes.push({ share, route, result });
    }
  }
  return {
    request: routedRequest(facts),
    ...(host && hostPlace && { virtualHost: explainedHost(around.table, host, hostPlace) }),
    outcomes,
    nearMisses:
      hostPlace === undefined
        ? []
        : table.nearMisses(decision).map(({ index, route, failed }) => {
            const place = within(hostPlace, `/routes/${index}`);
            return {
              ...{ name: route.name, index },
              failed: failed.map(({ text, found, pointer }) => ({
                ...{ asks: text, found: found(facts) },
                origins: originsOf(within(place, pointer)),
              })),
              origins: originsOf(place),
            };
          }),
  };
}

const routedRequest = ({ request: { method }, scheme, authority, path }: Facts): RoutedRequest => ({
  ...{ method, scheme, authority },
  ...(path !== undefined && { path }),
});

const explainedHost = (
  { name: table }: RouteConfiguration,
  { host, domain }: FoundHost,
  place: Around,
): ExplainedHost => ({
  ...{ table, name: host.name, domain },
  origins: originsOf(place),
});

const explainedRoute = (
  { index, route: { name } }: FoundRoute,
  conditions: readonly Condition[],
  hostPlace: Around,
): ExplainedRoute => ({
  ...{ name, index },
  asks: conditions.map(({ text }) => text),
  origins: originsOf(within(hostPlace, `/routes/${index}`)),
});

function unroutedResult(
  kind: "no-route" | "tls-redirect" | "route",
  { name }: RouteConfiguration,
  { facts, host }: TableDecision,
): Result {
  if (kind === "tls-redirect") {
    return { kind: "redirect", status: 301, location: `https://${facts.authority}${facts.path ?? ""}` };
  }
  const reason =
    host === undefined
      ? `no virtual host of the route table ${JSON.stringify(name)} takes ${JSON.stringify(facts.authority)}`
      : `no route of the virtual host ${JSON.stringify(host.host.name)} takes the request`;
  return { kind: "answer", status: 404, reason };
}

interface Found {
  readonly around: TableAround;
  readonly host: FoundHost;
  readonly hostPlace: Around;
  readonly facts: Facts;
  readonly semantics: Semantics;
}

function resultOf(action: Action, { index, route }: FoundRoute, found: Found): Result {
  const { around, host, hostPlace, facts, semantics } = found;
  const routePlace = within(hostPlace, `/routes/${index}`);
  switch (action.kind) {
    case "redirect":
      return { kind: "redirect", status: action.status, location: action.location };
    case "answer":
      return { ...action, reason: "the route says so" };
    case "forward":
      return forwarded(action, { route, host: host.host, around, routePlace, facts, semantics });
  }
}

interface ForwardAround {
  readonly route: MatchingRoute;
  readonly host: VirtualHost;
  readonly around: TableAround;
  readonly routePlace: Around;
  readonly facts: Facts;
  readonly semantics: Semantics;
}

/** What Envoy answers where a route names a cluster that is not there. */
const missingStatuses: Readonly<Record<number, number>> = { 0: 503, 1: 404, 2: 500 };

function forwarded(forward: Forward, { route, host, around, routePlace, facts, semantics }: ForwardAround): Result {
  const { table, manager, place } = around;
  const action = route.action.value;
  if (route.action.case !== "route" || action === undefined)
    throw new Error("a route that forwards has such an action");
  const destination = destinationOf(place.configuration, forward.cluster);
  if (destination.leadsTo.kind === "missing") {
    const status = missingStatuses[route.action.value.clusterNotFoundResponseCode] ?? 503;
    return { kind: "answer", status, reason: `the proxy has no cluster ${JSON.stringify(forward.cluster)}` };
  }
  const { path, authority } = forward;
  const settings = weightedIn(route).find(({ name }) => name === forward.cluster)?.typedPerFilterConfig;
  const cluster = { name: forward.cluster, ...(settings && { settings }) };
  return {
    ...{ kind: "forward", ...destination },
    request: { method: facts.request.method, scheme: facts.scheme, authority, path },
    changes: changesOf(facts, forward),
    policies: policiesOf(route.action.value, { manager, table, host, route, cluster, facts, semantics }),
    origins: originsOf(within(routePlace, clusterPointer(route, forward.cluster))),
  };
}

function weightedIn({ action }: MatchingRoute) {
  if (action.case !== "route" || action.value.clusterSpecifier.case !== "weightedClusters") return [];
  return action.value.clusterSpecifier.value.clusters;
}

/** Which part of a route names the cluster. */
function clusterPointer({ action }: MatchingRoute, cluster: string): string {
  if (action.case !== "route") return "";
  const by = action.value.clusterSpecifier;
  if (by.case !== "weightedClusters") return `/route/${by.case ?? ""}`;
  const index = by.value.clusters.findIndex(({ name }) => name === cluster);
  return `/route/weightedClusters/clusters/${index}/name`;
}

/** Path and authority, then headers by name. */
function changesOf(facts: Facts, { path, authority, headers }: Forward): readonly Change[] {
  const change = (what: string, before: string | undefined, after: string | undefined): readonly Change[] =>
    before === after ? [] : [{ what, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  const names = [...new Set([...facts.values.keys(), ...headers.keys()])].sort();
  return [
    ...change("path", facts.path, path),
    ...change("authority", facts.authority, authority),
    ...names.flatMap((name) => change(name, facts.values.get(name)?.join(","), headers.get(name)?.join(","))),
  ];
}
