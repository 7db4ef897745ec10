import { compareText } from "../../src/base/compare-text.ts";
import { type HttpConnectionManager, readHttpConnectionManager } from "../../src/envoy/connection-manager-messages.ts";
import { type RouteConfiguration, readRouteConfiguration } from "../../src/envoy/route-messages.ts";
import type { Action } from "../../src/explain/action.ts";
import { admissionOf } from "../../src/explain/connection-manager.ts";
import { isGrpcType } from "../../src/explain/grpc.ts";
import type { Headers, Request } from "../../src/explain/request.ts";
import { type RouteOutcome, type RouteTable, routeTable, type TableDecision } from "../../src/explain/route-table.ts";
import type { Semantics } from "../../src/explain/semantics.ts";
import { allowsUpgrade } from "../../src/explain/upgrade.ts";
import { type Answer, type Asked, upstreams } from "./asked-envoy.ts";

/*
 * What Envoy answers, in a few words: the name of the route that took the request, which each route of these tests adds to its
 * response, and what it did; or 404.
 */

/** What one listener is made of, read. */
export interface Listened {
  readonly manager: HttpConnectionManager;
  readonly table: RouteConfiguration;
  readonly port: number;
}

export const read = ({ manager, table }: Asked, port: number): Listened => ({
  manager: readHttpConnectionManager(manager),
  table: readRouteConfiguration(table),
  port,
});

export interface Told {
  /** One of them is the answer. */
  readonly answers: readonly string[];
  /** undefined: the connection manager did not let it through. */
  readonly decision: TableDecision | undefined;
}

export function told(listened: Listened, request: Request, semantics: Semantics): Told {
  const admission = admissionOf(listened, request, semantics);
  switch (admission.kind) {
    case "refused":
      return { answers: [String(admission.status)], decision: undefined };
    case "redirected":
      return { answers: [`${admission.status} ${admission.location}`], decision: undefined };
    case "admitted": {
      const table = routeTable(listened.table, semantics);
      const decision = table.decide(admission.request);
      return { answers: answersTo(table, decision, listened.manager), decision };
    }
  }
}

/** The headers that the one cluster is sent that the request is led to. */
export function routedHeaders(listened: Listened, request: Request, semantics: Semantics): Echo["headers"] {
  const admission = admissionOf(listened, request, semantics);
  if (admission.kind !== "admitted") throw new Error(`it is ${admission.kind}`);
  const table = routeTable(listened.table, semantics);
  const decision = table.decide(admission.request);
  const [first] = decision.outcomes;
  const [action] = first?.kind === "route" ? table.actionsOf(decision, first.route) : [];
  if (action?.kind !== "forward") throw new Error("it is not led to a cluster");
  return Object.fromEntries(action.headers);
}

function answersTo(table: RouteTable, decision: TableDecision, manager: HttpConnectionManager): readonly string[] {
  const { facts, outcomes } = decision;
  const isGrpc = isGrpcType(facts.header("content-type").join());
  const redirect = (status: number, location: string): string => (isGrpc ? location : `${status} ${location}`);
  const answerTo = (name: string, action: Action): string => {
    switch (action.kind) {
      case "answer":
        return name;
      case "redirect":
        return `${name} ${redirect(action.status, action.location)}`;
      case "forward":
        return isUpstream(action.cluster)
          ? `${name} ${toldForward(action.cluster, action.authority, action.path, action.headers)}`
          : `${name} ${noCluster}`;
    }
  };
  const answers = (outcome: RouteOutcome): readonly string[] => {
    switch (outcome.kind) {
      case "route": {
        if (!allowsUpgrade(manager, outcome.route, facts.request)) return ["403"];
        const actions = table.actionsOf(decision, outcome.route);
        const share = actions.reduce((sum, action) => sum + (action.kind === "forward" ? action.share : 1), 0);
        const led = actions.map((action) => answerTo(outcome.route.name, action));
        return share > 1 - 1e-9 ? led : [...led, `${outcome.route.name} ${noCluster}`];
      }
      case "no-route":
        return ["404"];
      case "tls-redirect":
        return [redirect(301, `https://${facts.authority}${facts.path}`)];
    }
  };
  return outcomes.flatMap(answers);
}

const noCluster = "503";

const isUpstream = (name: string): boolean => upstreams.some((one) => one === name);

/** What differs from run to run, belongs to one connection, or is not told. */
const untold: ReadonlySet<string> = new Set([
  ...["host", "x-request-id", "x-forwarded-for", "grpc-timeout", "content-length", "transfer-encoding", "connection"],
]);

/** What the upstream is sent. */
const toldForward = (cluster: string, authority: string, path: string, headers: Headers): string => {
  const own = [...headers].filter(([name]) => !untold.has(name)).sort(([a], [b]) => compareText(a, b));
  return `${cluster} ${authority}${path} ${own.map(([name, values]) => `${name}=${values.join(",")}`).join(" ")}`.trim();
};

/** What Envoy's own answers stand for where they go to clients of gRPC. */
const grpcCodes: Readonly<Record<string, string>> = { 12: "404", 13: "400", 14: noCluster };

/** A client of gRPC gets a status of its own, beside a 200 of HTTP. */
export function answerOf({ status, headers, body }: Answer): string {
  const { location, "x-route": route, "x-cluster": cluster, "grpc-status": grpcStatus } = headers;
  const code = grpcStatus === undefined ? String(status) : (grpcCodes[grpcStatus] ?? `gRPC ${grpcStatus}`);
  if (cluster !== undefined) {
    const { authority, path, headers: sent } = JSON.parse(body) as Echo;
    return `${route} ${toldForward(cluster, authority, path, new Map(Object.entries(sent)))}`;
  }
  // A manager's own answer may have the headers that a route adds to answers.
  if (code === "400" || code === "403") return code;
  if (location?.startsWith("/")) return `${code} ${location}`;
  if (location === undefined) return route === undefined ? code : code === noCluster ? `${route} ${code}` : route;
  return [route, grpcStatus === undefined ? code : undefined, location].filter((part) => part !== undefined).join(" ");
}

/** What an upstream of the tests says that it was sent. */
export interface Echo {
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** A route that answers itself, or redirects, with its name in its response. */
export const naming = <Route extends { readonly name?: unknown }>(route: Route) => ({
  response_headers_to_add: [{ header: { key: "x-route", value: String(route.name) } }],
  ...("redirect" in route || "route" in route ? {} : { direct_response: { status: 200 } }),
  ...route,
});
