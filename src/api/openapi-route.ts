import { json } from "./media-types.ts";
import { openApiDocument } from "./openapi.ts";
import type { Route } from "./route.ts";
import type { VersionView } from "./types/server.ts";

/** The document that describes the routes, itself included; made when it is first asked for. */
export function openApiRoute(routes: readonly Route[], version: VersionView): Route {
  let text: string | undefined;
  const route: Route = {
    method: "GET",
    path: "/openapi.json",
    access: "open",
    doc: {
      operation: "getOpenApi",
      summary: "This document: OpenAPI 3.1, made of the tables that answer.",
      parameters: [],
      answers: { 200: { summary: "The document.", types: { [json]: { type: "object" } } } },
      problems: [],
    },
    handler: () => {
      text ??= JSON.stringify(openApiDocument({ routes: [...routes, route], version: version.version }));
      return { kind: "text", contentType: json, text };
    },
  };
  return route;
}
