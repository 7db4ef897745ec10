import { schemaOf } from "../base/decode.ts";
import { jsonBody } from "./json-body.ts";
import { json } from "./media-types.ts";
import type { ExplainPort } from "./ports.ts";
import { decodeQuery } from "./query.ts";
import { ok, problem, problems, type Route } from "./route.ts";

/** It changes nothing, so that who may read may ask. */
export const explainRoutes = ({ question, answer }: ExplainPort["formats"]): readonly Route[] => [
  {
    method: "POST",
    path: "/api/v1/explain",
    access: "read",
    doc: {
      operation: "explain",
      summary: "Where a request goes that a proxy gets, and why.",
      description:
        "Decided as the proxy would decide, on what it would get now; nothing is sent. `proxy` is its node.id, its name or name.namespace.",
      parameters: [],
      body: { required: true, types: { [json]: schemaOf(question) } },
      answers: { 200: { summary: "What becomes of it.", types: { [json]: schemaOf(answer) } } },
      problems: ["api/not-found", "api/invalid-syntax", "api/invalid"],
    },
    handler: async ({ ports, query, body }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const read = jsonBody(body);
      if (!read.ok) return read.answer;
      const outcome = await ports.explain.explain(read.value);
      switch (outcome.kind) {
        case "done":
          return ok(outcome.explanation);
        case "invalid":
          return problems("api/invalid", outcome.problems);
        case "not-found":
          return problem("api/not-found", outcome.message, { hint: outcome.hint });
        case "unclear":
          return problem("api/invalid", outcome.message, outcome.hint === undefined ? {} : { hint: outcome.hint });
      }
    },
  },
];
