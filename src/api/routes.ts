import { changeSetRoutes } from "./changeset-routes.ts";
import { explainRoutes } from "./explain-routes.ts";
import { openRoutes, schemaRoutes } from "./open-routes.ts";
import type { PortFormats } from "./ports.ts";
import { readRoutes } from "./read-routes.ts";
import { registrationRoutes } from "./registration-routes.ts";
import { registryRoutes } from "./registry-routes.ts";
import type { Route } from "./route.ts";
import { kinds } from "./rule-docs.ts";
import { ruleReads } from "./rule-reads.ts";
import { ruleWrites } from "./rule-writes.ts";
import { tokenRoutes } from "./token-routes.ts";

/** The server's whole surface, one row each, but for the document that describes it. */
export function routesWith(formats: PortFormats): readonly Route[] {
  const rows = [
    ...kinds.flatMap((kind) => [...ruleReads(kind), ...ruleWrites(kind)]),
    ...changeSetRoutes,
    ...readRoutes,
    ...explainRoutes(formats.explain),
    ...registryRoutes,
    ...registrationRoutes(formats.registrations),
    ...tokenRoutes,
    ...openRoutes,
    ...schemaRoutes,
  ];
  return rows.map((route) => (route.access === "open" ? route : withQuery(route)));
}

/** A query with what a route does not know is refused wherever a token is needed. */
const withQuery = (route: Route): Route => ({
  ...route,
  doc: { ...route.doc, problems: [...new Set([...route.doc.problems, "api/invalid-query" as const])] },
});
