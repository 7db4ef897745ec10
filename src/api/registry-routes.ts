import { schemaOf } from "../base/decode.ts";
import { json } from "./media-types.ts";
import type { RegistriesPort } from "./ports.ts";
import { decodeQuery, oneOfTexts } from "./query.ts";
import { list } from "./read-routes.ts";
import { type Answer, type ApiRequest, ok, problem, type Route } from "./route.ts";
import type { ParameterDoc, RouteDoc } from "./route-doc.ts";
import { registryView } from "./shapes/registries.ts";
import type { RegistryView } from "./types/registries.ts";

const name: ParameterDoc = {
  in: "path",
  name: "name",
  required: true,
  summary: "The registry's name.",
  schema: { type: "string", minLength: 1 },
  example: "kubernetes",
};

const states = ["INITIAL", "LIVE", "SUSPECT", "OUTAGE"] as const;

/** Where services come from, and what is to be believed of it. */
export const registryRoutes: readonly Route[] = [
  list<RegistryView>({
    path: "/api/v1/registries",
    operation: "listRegistries",
    summary: "Where services come from: how each registry is, and what is held of it.",
    shape: registryView,
    items: (ports) => ports.registries.list(),
    key: ({ precedence }) => String(precedence).padStart(4, "0"),
    filters: { state: [oneOfTexts("Only those in this state.", states), (registry) => registry.state] },
  }),
  {
    method: "GET",
    path: "/api/v1/registries/:name",
    access: "read",
    doc: about({ operation: "getRegistry", summary: "One registry." }),
    handler: ({ ports, params, query }) => {
      const decoded = decodeQuery(query, {});
      if (!decoded.ok) return decoded.answer;
      const registry = ports.registries.list().find((each) => each.name === params["name"]);
      return registry === undefined ? noRegistry(params["name"], ports.registries) : ok<RegistryView>(registry);
    },
  },
  {
    method: "POST",
    path: "/api/v1/registries/:name:hold",
    access: "write",
    doc: about({
      operation: "holdRegistry",
      summary: "Nothing of this registry goes any more, until it is released.",
      description:
        "For a registry that is not to be believed. What it adds or changes counts at once. Its services and instances stay, whatever it says, also " +
        "across restarts where there is a data folder.",
    }),
    handler: (request) => decide(request, "hold"),
  },
  {
    method: "POST",
    path: "/api/v1/registries/:name:release",
    access: "write",
    doc: about({
      operation: "releaseRegistry",
      summary: "What this registry reports counts now, all of it.",
      description: "It ends a hold, and what is held of a registry that lost much at once.",
    }),
    handler: (request) => decide(request, "release"),
  },
];

function about(doc: Pick<RouteDoc, "operation" | "summary" | "description">): RouteDoc {
  const answers = { 200: { summary: "The registry.", types: { [json]: schemaOf(registryView) } } };
  return { ...doc, parameters: [name], answers, problems: ["api/not-found"] };
}

function decide({ ports, params, query, caller, log }: ApiRequest, decision: "hold" | "release"): Answer {
  const decoded = decodeQuery(query, {});
  if (!decoded.ok) return decoded.answer;
  const registry = ports.registries[decision](params["name"] ?? "", caller.name);
  if (registry === undefined) return noRegistry(params["name"], ports.registries);
  log.info({ by: caller.name, registry: registry.name, decision }, "a registry is decided about");
  return ok<RegistryView>(registry);
}

function noRegistry(asked: string | undefined, registries: RegistriesPort): Answer {
  const known = registries.list().map((each) => each.name);
  return problem("api/not-found", `There is no registry ${asked}.`, { hint: `There are ${known.join(", ")}.` });
}
