import { schemaOf, text } from "../base/decode.ts";
import { object, required } from "../base/decode-object.ts";
import { ruleSchema, schemaPath } from "../config/schemas.ts";
import { json } from "./media-types.ts";
import { ok, type Route } from "./route.ts";
import type { AnswerDoc, RouteDoc } from "./route-doc.ts";
import { kinds } from "./rule-docs.ts";
import { readyView, versionView } from "./shapes/server.ts";
import type { ReadyView, VersionView } from "./types/server.ts";

const alive = schemaOf(object({ status: required(text()) }));

/** What anybody may ask. */
export const openRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/healthz",
    access: "open",
    doc: doc("getHealth", "Is the process alive? Always 200 when it is.", {
      200: { summary: "It is.", types: { [json]: alive } },
    }),
    handler: () => ok({ status: "ok" }),
  },
  {
    method: "GET",
    path: "/readyz",
    access: "open",
    doc: doc("getReadiness", "200 once proxies can be served; 503 with the reasons until then.", {
      200: { summary: "Proxies can be served.", types: { [json]: schemaOf(readyView) } },
      503: { summary: "Not yet.", types: { [json]: schemaOf(readyView) } },
    }),
    handler: ({ ports }) => {
      const body: ReadyView = ports.ready();
      return { kind: "json", status: body.ready ? 200 : 503, body };
    },
  },
  {
    method: "GET",
    path: "/metrics",
    access: "open",
    doc: doc("getMetrics", "Metrics in Prometheus text exposition.", {
      200: { summary: "The metrics.", types: { "text/plain": { type: "string" } } },
    }),
    handler: async ({ ports }) => ({ kind: "text", ...(await ports.metrics()) }),
  },
  {
    method: "GET",
    path: "/version",
    access: "open",
    doc: doc("getVersion", "What runs here.", {
      200: { summary: "Name and versions.", types: { [json]: schemaOf(versionView) } },
    }),
    handler: ({ version }) => ok<VersionView>(version),
  },
];

const schemaJson = "application/schema+json";

/** The JSON Schema of each kind of rules. */
export const schemaRoutes: readonly Route[] = kinds.map((kind): Route => {
  const body = JSON.stringify(ruleSchema(kind));
  return {
    method: "GET",
    path: schemaPath(kind) as Route["path"],
    access: "open",
    doc: doc(`get${kind}Schema`, `The JSON Schema (2020-12) of a ${kind}, for editors and generators.`, {
      200: { summary: "The schema.", types: { [schemaJson]: { type: "object" } } },
    }),
    handler: () => ({ kind: "text", contentType: schemaJson, text: body }),
  };
});

function doc(operation: string, summary: string, answers: Readonly<Record<number, AnswerDoc>>): RouteDoc {
  return { operation, summary, parameters: [], answers, problems: [] };
}
