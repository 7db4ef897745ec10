import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { HttpMatch, StringMatch } from "../config/kinds/virtual-service.ts";
import type { Origin } from "../envoy/provenance.ts";
import { trace } from "../envoy/provenance.ts";
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";

type RouteMatchInit = Exclude<MessageInitShape<typeof RouteMatchSchema>, RouteMatch>;
type PathSpecifier = NonNullable<RouteMatchInit["pathSpecifier"]>;
type HeaderMatcherInit = Exclude<MessageInitShape<typeof HeaderMatcherSchema>, HeaderMatcher>;

/** Conditions of one match entry; none at all: every request. */
export function routeMatch(match: HttpMatch | undefined, origin: Origin | undefined): RouteMatch {
  const message = create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match?.uri),
    headers: headerMatchers(match),
  });
  return origin === undefined ? message : trace(message, origin);
}

/** Nothing can come after it: it takes whatever is left. */
export function isCatchAll(match: HttpMatch | undefined): boolean {
  if (match === undefined) return true;
  if (match.method !== undefined || Object.keys(match.headers).length > 0) return false;
  const { uri } = match;
  return (
    uri === undefined || (uri.kind === "prefix" && uri.value === "/") || (uri.kind === "regex" && uri.value === ".*")
  );
}

function pathSpecifier(uri: HttpMatch["uri"]): PathSpecifier {
  if (uri === undefined) return { case: "prefix", value: "/" };
  switch (uri.kind) {
    case "exact":
      return { case: "path", value: uri.value };
    case "prefix":
      return { case: "prefix", value: uri.value };
    case "regex":
      return { case: "safeRegex", value: { regex: uri.value } };
  }
}

/** Headers by name, then the method. */
function headerMatchers(match: HttpMatch | undefined): HeaderMatcher[] {
  const headers = Object.entries(match?.headers ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const method = match?.method === undefined ? [] : [[":method", match.method] as const];
  return [...headers, ...method].map(([name, condition]) =>
    create(HeaderMatcherSchema, { name, headerMatchSpecifier: headerCondition(condition) }),
  );
}

function headerCondition(condition: StringMatch): NonNullable<HeaderMatcherInit["headerMatchSpecifier"]> {
  if (condition.kind === "present") return { case: "presentMatch", value: true };
  const { kind, value } = condition;
  return {
    case: "stringMatch",
    value: { matchPattern: kind === "regex" ? { case: "safeRegex", value: { regex: value } } : { case: kind, value } },
  };
}
