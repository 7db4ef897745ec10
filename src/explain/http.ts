import type { RouteConfiguration } from "../envoy/route-messages.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import type { Action } from "./action.ts";
import { changesBetween } from "./changes.ts";
import type { Condition } from "./condition.ts";
import { explainForward } from "./explain-forward.ts";
import type { ExplainedHost, ExplainedRoute, Explanation, Outcome, Result } from "./explanation.ts";
import { stageOf } from "./forward.ts";
import { type Around, originsOf, within } from "./places.ts";
import { type Facts, factsOf, type Request } from "./request.ts";
import { type FoundRoute, routeTable, type TableDecision } from "./route-table.ts";
import { routedRequest } from "./routed-request.ts";
import type { Semantics } from "./semantics.ts";
import type { TableAround } from "./table-around.ts";
import { allowsUpgrade, upgradeOf } from "./upgrade.ts";
import type { FoundHost } from "./virtual-host.ts";

export type HttpExplanation = Pick<Explanation, "request" | "admitted" | "virtualHost" | "outcomes" | "nearMisses">;

/** A request before and after the connection manager. */
export interface Admitted {
  readonly sent: Request;
  readonly admitted: Request;
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

/** The virtual host for what no registry knows, where that may not be called. */
const refusingHost = "block_all";

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
      return {
        ...action,
        reason:
          host.host.name === refusingHost
            ? "no registry knows the host, and no other may be called"
            : "the route says so",
      };
    case "forward":
      return explainForward(action, { route, host: host.host, around, hostPlace, routePlace, facts, semantics });
  }
}
