import type { JsonPointer } from "../base/json-pointer.ts";
import type { HttpConnectionManager } from "../envoy/filter-messages.ts";
import type { MatchingRoute, RouteConfiguration, VirtualHost } from "../envoy/route-messages.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import type { Action } from "./action.ts";
import { changesBetween } from "./changes.ts";
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
import { type Forward, type StageLevel, stageOf } from "./forward.ts";
import { type Around, originsOf, within } from "./places.ts";
import { policiesOf } from "./policies.ts";
import { type Facts, factsOf, type Request } from "./request.ts";
import { type FoundRoute, routeTable, type TableDecision } from "./route-table.ts";
import type { Semantics } from "./semantics.ts";
import { allowsUpgrade, upgradeOf } from "./upgrade.ts";
import type { FoundHost } from "./virtual-host.ts";

export type HttpExplanation = Pick<Explanation, "request" | "admitted" | "virtualHost" | "outcomes" | "nearMisses">;

/** A request before and after the connection manager. */
export interface Admitted {
  readonly sent: Request;
  readonly admitted: Request;
}

export interface TableAround {
  readonly table: RouteConfiguration;
  /** Where it stands. */
  readonly place: Around;
  readonly manager: HttpConnectionManager;
}

/** What is left of a sum of shares. */
const rounding = 1e-9;

/** What becomes of a request that the connection manager has let through. */
export function explainRouting(
  around: TableAround,
  { sent, admitted }: Admitted,
  semantics: Semantics,
): HttpExplanation {
  const table = routeTable(around.table, semantics);
  const decision = table.decide(admitted);
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
    if (!allowsUpgrade(around.manager, outcome.route, admitted)) {
      const reason = `the connection may not become ${JSON.stringify(upgradeOf(admitted) ?? "")}`;
      outcomes.push({ share: taken, route, result: { kind: "answer", status: 403, reason } });
      continue;
    }
    const actions = table.actionsOf(decision, outcome.route);
    let unnamed = taken;
    for (const action of actions) {
      const share = action.kind === "forward" ? taken * action.share : taken;
      const result = resultOf(action, outcome, { around, host, hostPlace, facts, semantics });
      outcomes.push({ share, route, result });
      unnamed -= share;
    }
    if (unnamed > rounding) {
      const reason = "the header that is to name the cluster is missing";
      outcomes.push({ share: unnamed, route, result: { kind: "answer", status: 503, reason } });
    }
  }
  return {
    request: routedRequest(facts),
    admitted: changesBetween(stageOf(factsOf(sent, semantics)), stageOf(facts), "connection-manager"),
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
  ...{ method, scheme, authority: asCharacters(authority) },
  ...(path !== undefined && { path: asCharacters(path) }),
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
    return { kind: "redirect", status: 301, location: asCharacters(`https://${facts.authority}${facts.path ?? ""}`) };
  }
  const reason =
    host === undefined
      ? `no virtual host of the route table ${JSON.stringify(name)} takes ${JSON.stringify(asCharacters(facts.authority))}`
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
      return { kind: "redirect", status: action.status, location: asCharacters(action.location) };
    case "answer":
      return { ...action, reason: "the route says so" };
    case "forward":
      return forwarded(action, { route, host: host.host, around, hostPlace, routePlace, facts, semantics });
  }
}

interface ForwardAround {
  readonly route: MatchingRoute;
  readonly host: VirtualHost;
  readonly around: TableAround;
  readonly hostPlace: Around;
  readonly routePlace: Around;
  readonly facts: Facts;
  readonly semantics: Semantics;
}

/** What Envoy answers where a route names a cluster that is not there. */
const missingStatuses: Readonly<Record<number, number>> = { 0: 503, 1: 404, 2: 500 };

function forwarded(
  forward: Forward,
  { route, host, around, hostPlace, routePlace, facts, semantics }: ForwardAround,
): Result {
  const { table, manager, place } = around;
  const action = route.action.value;
  if (route.action.case !== "route" || action === undefined)
    throw new Error("a route that forwards has such an action");
  const destination = destinationOf(place.configuration, forward.cluster);
  if (destination.leadsTo.kind === "missing") {
    const status = missingStatuses[route.action.value.clusterNotFoundResponseCode] ?? 503;
    return { kind: "answer", status, reason: `the proxy has no cluster ${JSON.stringify(forward.cluster)}` };
  }
  const clusterPlace = within(routePlace, clusterPointer(route, forward));
  const settings = weightedAt(route, forward.clusterIndex)?.typedPerFilterConfig;
  const cluster = { name: forward.cluster, ...(settings && { settings }) };
  return {
    ...{ kind: "forward", ...destination },
    request: routedRequest({ ...facts, authority: forward.authority, path: forward.path }),
    headers: [...forward.headers].flatMap(([name, values]) =>
      values.map((value) => [name, asCharacters(value)] as const),
    ),
    changes: changesOf(facts, forward, {
      ...{ proxy: undefined, route: routePlace, "virtual-host": hostPlace, "route-table": place },
      cluster: clusterPlace,
    }),
    policies: policiesOf(route.action.value, { manager, table, host, route, cluster, facts, semantics }),
    origins: originsOf(forward.clusterIndex === undefined ? clusterPlace : within(clusterPlace, "/name")),
  };
}

function weightedAt({ action }: MatchingRoute, index: number | undefined) {
  if (action.case !== "route" || action.value.clusterSpecifier.case !== "weightedClusters") return undefined;
  return index === undefined ? undefined : action.value.clusterSpecifier.value.clusters[index];
}

/** Which part of a route speaks of the cluster. */
const clusterPointer = ({ action }: MatchingRoute, { clusterIndex }: Forward): JsonPointer =>
  clusterIndex === undefined
    ? `/route/${(action.case === "route" && action.value.clusterSpecifier.case) || "cluster"}`
    : `/route/weightedClusters/clusters/${clusterIndex}`;

function changesOf(
  facts: Facts,
  forward: Forward,
  places: Readonly<Record<StageLevel, Around | undefined>>,
): readonly Change[] {
  let before = stageOf(facts);
  return forward.steps.flatMap(({ by, pointer, stage }) => {
    const around = places[by];
    const changes = changesBetween(before, stage, by, around && { around, pointer });
    before = stage;
    return changes;
  });
}
