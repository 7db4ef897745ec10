import { actionOf } from "../../src/explain/action.ts";
import type { RouteOutcome, TableDecision } from "../../src/explain/route-table.ts";
import type { Semantics } from "../../src/explain/semantics.ts";
import type { Answer } from "./asked-envoy.ts";

/*
 * What Envoy answers, in a few words: the name of the route that took the request, which each route of these tests adds to its
 * response, and what it did; or 404.
 */

export function answerTo(outcome: RouteOutcome, { facts }: TableDecision, semantics: Semantics): string {
  const isGrpc = isGrpcType(facts.header("content-type").join());
  const redirect = (status: number, location: string): string => (isGrpc ? location : `${status} ${location}`);
  switch (outcome.kind) {
    case "route": {
      const action = actionOf(outcome.route, facts, semantics);
      const { name } = outcome.route;
      return action.kind === "redirect" ? `${name} ${redirect(action.status, action.location)}` : name;
    }
    case "no-route":
      return "404";
    case "tls-redirect":
      return redirect(301, `https://${facts.authority}${facts.path}`);
  }
}

/** A client of gRPC gets a status of its own, beside a 200 of HTTP. */
export function answerOf({ status, headers }: Answer): string {
  const { location, "x-route": route, "grpc-status": grpcStatus } = headers;
  const code = grpcStatus === undefined ? String(status) : "404";
  if (location === undefined) return route ?? code;
  return [route, grpcStatus === undefined ? code : undefined, location].filter((part) => part !== undefined).join(" ");
}

const isGrpcType = (type: string): boolean => /^application\/grpc(\+|$)/.test(type);

/** A route that answers itself, or redirects, with its name in its response. */
export const naming = <Route extends { readonly name?: unknown }>(route: Route) => ({
  response_headers_to_add: [{ header: { key: "x-route", value: String(route.name) } }],
  ...("redirect" in route ? {} : { direct_response: { status: 200 } }),
  ...route,
});
