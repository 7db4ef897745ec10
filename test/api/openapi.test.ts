import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { type DocumentedRoute, type OpenApiDocument, openApiDocument } from "../../src/api/openapi.ts";
import type { RouteDoc } from "../../src/api/route-doc.ts";
import { routesWith } from "../../src/api/routes.ts";
import { pageOf } from "../../src/api/shapes/pages.ts";
import { ruleObjectView } from "../../src/api/shapes/rules.ts";
import { serviceView } from "../../src/api/shapes/services.ts";
import { explainFormats } from "../../src/app/explain-port.ts";
import { schemaOf } from "../../src/base/decode.ts";
import { ruleSchema } from "../../src/config/schemas.ts";
import { formats } from "../../src/registry/rest/format.ts";

const doc = (fields: Partial<RouteDoc>): RouteDoc => ({
  operation: "get",
  summary: "Something.",
  parameters: [],
  answers: { 200: { summary: "It." } },
  problems: [],
  ...fields,
});

const name = { in: "path", name: "name", summary: "Its name.", schema: { type: "string" } } as const;

const routes: readonly DocumentedRoute[] = [
  {
    method: "GET",
    path: "/api/v1/services",
    access: "read",
    doc: doc({
      operation: "listServices",
      description: "All of *them*.",
      parameters: [
        {
          in: "query",
          name: "limit",
          summary: "At most so many.",
          schema: { type: "integer", minimum: 1 },
          example: 50,
        },
      ],
      answers: { 200: { summary: "A page.", types: { "application/json": schemaOf(pageOf(serviceView)) } } },
      problems: ["api/invalid-query"],
    }),
  },
  {
    method: "PUT",
    path: "/api/v1/namespaces/:namespace/gateways/:name",
    access: "write",
    doc: doc({
      operation: "putGateway",
      parameters: [{ ...name, name: "namespace" }, name],
      body: { required: true, types: { "application/yaml": ruleSchema("Gateway") } },
      answers: {
        200: {
          summary: "The rule as stored.",
          types: { "application/json": schemaOf(ruleObjectView) },
          headers: { ETag: "Its version." },
        },
        201: { summary: "The rule is new." },
      },
      problems: ["api/conflict", "api/managed-elsewhere", "api/unavailable", "store/busy"],
    }),
  },
  {
    method: "DELETE",
    path: "/api/v1/namespaces/:namespace/gateways/:name",
    access: "write",
    doc: doc({ operation: "deleteGateway", parameters: [{ ...name, name: "namespace" }, name] }),
  },
  {
    method: "GET",
    path: "/healthz",
    access: "open",
    doc: doc({ operation: "getHealth", answers: { 200: { summary: "Alive." }, 503: { summary: "Not yet." } } }),
  },
];

const document = openApiDocument({ routes, version: "1.2.3" });

/* What every OpenAPI 3.1 document of ours must be */

const operationsOf = ({ paths }: OpenApiDocument) =>
  Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, ...operation })),
  );

/** Every object in a value, with the value itself. */
function partsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Readonly<Record<string, unknown>>, ...Object.values(value).flatMap(partsOf)];
}

const referencesOf = (value: unknown): readonly string[] =>
  partsOf(value).flatMap(({ $ref }) => (typeof $ref === "string" ? [$ref] : []));

function resolve(root: OpenApiDocument, reference: string): unknown {
  return reference
    .replace(/^#\//, "")
    .split("/")
    .reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], root);
}

/** All faults of a document's structure, as sentences. */
function faultsOf(root: OpenApiDocument): readonly string[] {
  const operations = operationsOf(root);
  const ids = operations.map(({ operationId }) => operationId);
  const references = new Set(referencesOf(root));
  const components = (["schemas", "responses"] as const).flatMap((group) =>
    Object.keys(root.components[group]).map((component) => `#/components/${group}/${component}`),
  );
  return [
    ...ids.filter((id, index) => !/^[a-z][A-Za-z0-9]*$/.test(id) || ids.indexOf(id) !== index).map((id) => `id ${id}`),
    ...[...references].filter((reference) => resolve(root, reference) === undefined).map((at) => `nothing at ${at}`),
    ...components.filter((component) => !references.has(component)).map((component) => `unused ${component}`),
    ...components.filter((component) => !/^#\/[a-z]+\/[a-z]+\/[A-Za-z0-9._-]+$/.test(component)),
    ...operations.flatMap(({ path, method, parameters = [], responses, requestBody }) => {
      const at = `${method} ${path}`;
      const named = parameters as readonly { readonly in: string; readonly name: string; readonly required: boolean }[];
      const inPath = named.filter((parameter) => parameter.in === "path");
      const template = [...path.matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter);
      const keys = named.map((parameter) => `${parameter.in} ${parameter.name.toLowerCase()}`);
      return [
        ...(/^\/[^:]*(\}:[a-z]+)?$/.test(path) ? [] : [`${at}: path`]),
        ...(inPath.every(({ required }) => required) ? [] : [`${at}: a path's parameter is not required`]),
        ...(template.sort().join() ===
        inPath
          .map((p) => p.name)
          .sort()
          .join()
          ? []
          : [`${at}: parameters of the path`]),
        ...(new Set(keys).size === keys.length ? [] : [`${at}: a parameter twice`]),
        ...(Object.keys(responses).some((status) => /^2/.test(status)) ? [] : [`${at}: no good answer`]),
        ...Object.entries(responses).flatMap(([status, response]) => {
          const { description } = ("$ref" in response ? resolve(root, response.$ref) : response) as {
            readonly description?: string;
          };
          return /^[1-5][0-9]{2}$/.test(status) && description ? [] : [`${at}: answer ${status}`];
        }),
        ...(requestBody !== undefined && Object.keys(requestBody.content).length === 0 ? [`${at}: empty body`] : []),
      ];
    }),
  ];
}

/** Schemas that JSON Schema 2020-12 does not know, as sentences. */
function wrongSchemas(root: OpenApiDocument): readonly string[] {
  const local = (schema: unknown): object =>
    JSON.parse(JSON.stringify(schema).replaceAll("#/components/schemas/", "#/$defs/"));
  const ajv = new Ajv2020({ strict: true });
  addFormats.default(ajv);
  const $defs = local(root.components.schemas);
  const schemas = [
    ...Object.keys(root.components.schemas).map((component) => ({ $ref: `#/components/schemas/${component}` })),
    ...partsOf(root.paths).flatMap(({ schema }) => (typeof schema === "object" && schema !== null ? [schema] : [])),
  ];
  return [...new Set(schemas.map((schema) => JSON.stringify(schema)))].flatMap((text) => {
    try {
      ajv.compile({ ...local(JSON.parse(text)), $defs });
      return [];
    } catch (error) {
      return [`${text.slice(0, 80)}: ${error}`];
    }
  });
}

describe("the server's own document", () => {
  const rows = routesWith({ registrations: formats, explain: explainFormats });
  const own = openApiDocument({ routes: rows, version: "1.2.3" });

  test("is whole", () => {
    expect(faultsOf(own)).toEqual([]);
    expect(wrongSchemas(own)).toEqual([]);
  });

  test("has every route once", () => {
    expect(operationsOf(own)).toHaveLength(rows.length);
  });
});

describe("the document", () => {
  test("is whole", () => {
    expect(faultsOf(document)).toEqual([]);
    expect(wrongSchemas(document)).toEqual([]);
    expect(document).toMatchObject({ openapi: "3.1.1", info: { title: "Fairway", version: "1.2.3" } });
  });

  test("has the routes, each with its methods", () => {
    const found = operationsOf(document).map(({ method, path, operationId }) => `${method} ${path} ${operationId}`);
    expect(found).toEqual([
      "get /api/v1/services listServices",
      "put /api/v1/namespaces/{namespace}/gateways/{name} putGateway",
      "delete /api/v1/namespaces/{namespace}/gateways/{name} deleteGateway",
      "get /healthz getHealth",
    ]);
    expect(document.tags).toEqual([{ name: "services" }, { name: "gateways" }, { name: "server" }]);
  });

  test("asks for a token, but not on open routes", () => {
    expect(document.security).toEqual([{ bearer: [] }]);
    expect(document.paths["/healthz"]?.["get"]).toMatchObject({ security: [] });
    expect(document.paths["/api/v1/services"]?.["get"]).not.toHaveProperty("security");
    expect(Object.keys(document.paths["/healthz"]?.["get"]?.responses ?? {})).not.toContain("401");
  });

  test("tells parameters, bodies and answers", () => {
    expect(document.paths["/api/v1/services"]?.["get"]).toMatchObject({
      description: "All of *them*.",
      parameters: [
        {
          in: "query",
          name: "limit",
          required: false,
          description: "At most so many.",
          schema: { type: "integer", minimum: 1 },
          example: 50,
        },
      ],
      responses: {
        200: {
          content: {
            "application/json": {
              schema: { properties: { items: { items: { $ref: "#/components/schemas/Service" } } } },
            },
          },
        },
      },
    });
    expect(document.paths["/api/v1/namespaces/{namespace}/gateways/{name}"]?.["put"]).toMatchObject({
      parameters: [{ required: true }, { required: true }],
      requestBody: {
        required: true,
        content: { "application/yaml": { schema: { $ref: "#/components/schemas/Gateway" } } },
      },
      responses: { 200: { headers: { ETag: { description: "Its version.", schema: { type: "string" } } } } },
    });
  });

  test("groups problems by their status; what a route answers itself comes first", () => {
    const put = document.paths["/api/v1/namespaces/{namespace}/gateways/{name}"]?.["put"];
    const name = "Problem.409.api-conflict.api-managed-elsewhere";
    expect(put?.responses["409"]).toEqual({ $ref: `#/components/responses/${name}` });
    expect(document.components.responses[name]).toEqual({
      description:
        "It conflicts with what is there (`api/conflict`). It is managed elsewhere (`api/managed-elsewhere`).",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    });
    expect(Object.keys(put?.responses ?? {})).toEqual(
      expect.arrayContaining(["400", "401", "403", "413", "415", "429"]),
    );
    expect(document.paths["/healthz"]?.["get"]?.responses["503"]).toEqual({ description: "Not yet." });
  });

  test("names what is used, once, and without an address of its own", () => {
    const { schemas } = document.components;
    expect(Object.keys(schemas)).toEqual(Object.keys(schemas).toSorted());
    expect(Object.keys(schemas)).toEqual(
      expect.arrayContaining(["Gateway", "Problem", "Rule", "RuleStatus", "Service"]),
    );
    expect(Object.keys(schemas)).not.toContain("Sidecar");
    expect(schemas["Gateway"]).not.toHaveProperty("$id");
    expect(schemas["Rule"]?.properties?.["status"]).toEqual({ $ref: "#/components/schemas/RuleStatus" });
  });
});
