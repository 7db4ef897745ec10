import { compareText } from "../../src/base/compare-text.ts";
import type { Action } from "../../src/explain/action.ts";
import type { Headers } from "../../src/explain/request.ts";
import type { RouteOutcome, RouteTable, TableDecision } from "../../src/explain/route-table.ts";
import type { Answer } from "./asked-envoy.ts";

/*
 * What Envoy answers, in a few words: the name of the route that took the request, which each route of these tests adds to its
 * response, and what it did; or 404.
 */

export function answersTo(table: RouteTable, decision: TableDecision): readonly string[] {
  const { facts, outcomes } = decision;
  const isGrpc = isGrpcType(facts.header("content-type").join());
  const redirect = (status: number, location: string): string => (isGrpc ? location : `${status} ${location}`);
  const told = (action: Action): string => {
    switch (action.kind) {
      case "answer":
        return "";
      case "redirect":
        return ` ${redirect(action.status, action.location)}`;
      case "forward":
        return ` ${toldForward(action.cluster, action.authority, action.path, action.headers)}`;
    }
  };
  const answers = (outcome: RouteOutcome): readonly string[] => {
    switch (outcome.kind) {
      case "route":
        return table.actionsOf(decision, outcome.route).map((action) => `${outcome.route.name}${told(action)}`);
      case "no-route":
        return ["404"];
      case "tls-redirect":
        return [redirect(301, `https://${facts.authority}${facts.path}`)];
    }
  };
  return outcomes.flatMap(answers);
}

/** What the upstream is sent: of the headers those of the tests. */
const toldForward = (cluster: string, authority: string, path: string, headers: Headers): string => {
  const own = [...headers].filter(([name]) => /^x-[a-z]$/.test(name)).sort(([a], [b]) => compareText(a, b));
  return `${cluster} ${authority}${path} ${own.map(([name, values]) => `${name}=${values.join(",")}`).join(" ")}`.trim();
};

/** A client of gRPC gets a status of its own, beside a 200 of HTTP. */
export function answerOf({ status, headers, body }: Answer): string {
  const { location, "x-route": route, "x-cluster": cluster, "grpc-status": grpcStatus } = headers;
  const code = grpcStatus === undefined ? String(status) : "404";
  if (cluster !== undefined) {
    const { authority, path, headers: sent } = JSON.parse(body) as Echo;
    return `${route} ${toldForward(cluster, authority, path, new Map(Object.entries(sent)))}`;
  }
  if (location === undefined) return route ?? code;
  return [route, grpcStatus === undefined ? code : undefined, location].filter((part) => part !== undefined).join(" ");
}

/** What an upstream of the tests says that it was sent. */
export interface Echo {
  readonly authority: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

const isGrpcType = (type: string): boolean => /^application\/grpc(\+|$)/.test(type);

/** A route that answers itself, or redirects, with its name in its response. */
export const naming = <Route extends { readonly name?: unknown }>(route: Route) => ({
  response_headers_to_add: [{ header: { key: "x-route", value: String(route.name) } }],
  ...("redirect" in route || "route" in route ? {} : { direct_response: { status: 200 } }),
  ...route,
});
