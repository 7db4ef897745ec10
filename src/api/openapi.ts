import { compareText } from "../base/compare-text.ts";
import { schemaOf } from "../base/decode.ts";
import { type JsonSchema, jsonSchemaDialect, mapSchemas } from "../base/json-schema.ts";
import type { RuleKind } from "../config/rule.ts";
import { ruleKinds } from "../config/rule-kinds.ts";
import { ruleSchema } from "../config/schemas.ts";
import { type ProblemCode, problemCodes, problemContentType } from "./problem.ts";
import type { AnswerDoc, ParameterDoc, RouteDoc } from "./route-doc.ts";
import { templatePath } from "./route-path.ts";
import { namedShapes } from "./shapes/named.ts";
import { problemView } from "./shapes/server.ts";

/** What the document says of a route. */
export interface DocumentedRoute {
  readonly method: string;
  /** Its parameters as `:name`. */
  readonly path: `/${string}`;
  /** `open`: anybody; all else needs a token. */
  readonly access: string;
  readonly doc: RouteDoc;
}

/** An OpenAPI 3.1 document, as far as we write it. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: object;
  readonly jsonSchemaDialect: string;
  readonly servers: readonly object[];
  readonly security: readonly Security[];
  readonly tags: readonly { readonly name: string }[];
  /** By path, then by method in lower case. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly securitySchemes: object;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
  };
}

type Security = Readonly<Record<string, readonly string[]>>;

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Security[];
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  /** By status. */
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** The document of the API: out of the table of routes, which answers the requests too. */
export function openApiDocument({
  routes,
  version,
}: {
  readonly routes: readonly DocumentedRoute[];
  readonly version: string;
}): OpenApiDocument {
  const components = createComponents();
  const documented = routes.map((route) => ({
    path: templatePath(route.path),
    method: route.method.toLowerCase(),
    operation: operationOf(route, components),
  }));
  const paths = Map.groupBy(documented, ({ path }) => path);
  return {
    openapi: "3.1.1",
    info: {
      title: "Fairway",
      version,
      description: "Every answer carries its `x-request-id`. A field that is not known is absent, never null.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    jsonSchemaDialect,
    servers: [{ url: "/" }],
    security: [{ bearer: [] }],
    tags: [...new Set(routes.map(({ path }) => tagOf(path)))].map((name) => ({ name })),
    paths: Object.fromEntries(
      [...paths].map(([path, operations]) => [
        path,
        Object.fromEntries(operations.map(({ method, operation }) => [method, operation])),
      ]),
    ),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token, as `fairway token create` makes it." },
      },
      ...components.used(),
    },
  };
}

/** What a path is about: its first word behind the prefix and the namespace. */
function tagOf(path: string): string {
  return /^\/api\/v1\/(?:namespaces\/[^/]+\/)?([^/]+)/.exec(path)?.[1] ?? "server";
}

function operationOf({ path, access, doc }: DocumentedRoute, components: Components): Operation {
  const { operation, summary, description, parameters, body, answers } = doc;
  const responses = [
    ...Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, components)] as const),
    ...problemResponses(doc, access, components),
  ];
  return {
    operationId: operation,
    tags: [tagOf(path)],
    summary,
    ...(description !== undefined && { description }),
    ...(access === "open" && { security: [] }),
    ...(parameters.length > 0 && { parameters: parameters.map((parameter) => parameterOf(parameter, components)) }),
    ...(body && { requestBody: { required: body.required, content: contentOf(body.types, components) } }),
    responses: Object.fromEntries(responses),
  };
}

function parameterOf({ required = false, summary, schema, example, ...where }: ParameterDoc, components: Components) {
  return {
    ...where,
    required: required || where.in === "path",
    description: summary,
    schema: components.refer(schema),
    ...(example !== undefined && { example }),
  };
}

function responseOf({ summary, types, headers = {} }: AnswerDoc, components: Components): Response {
  const shown = Object.entries(headers).map(
    ([name, says]) => [name, { description: says, schema: { type: "string" } }] as const,
  );
  return {
    description: summary,
    ...(shown.length > 0 && { headers: Object.fromEntries(shown) }),
    ...(types && { content: contentOf(types, components) }),
  };
}

const contentOf = (types: Readonly<Record<string, JsonSchema>>, components: Components): Content =>
  Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema: components.refer(schema) }]));

/* Problems */

/** What routes can answer beside their own problems. */
export const commonProblems = {
  everywhere: [
    "api/invalid-request",
    "api/request-timeout",
    "api/foreign-host",
    "api/headers-too-large",
    "api/failed",
    "api/unavailable",
  ],
  withToken: ["api/unauthenticated", "api/forbidden", "api/foreign-origin", "api/limited"],
  withBody: ["api/too-large", "api/unsupported-media-type"],
} as const satisfies Record<string, readonly ProblemCode[]>;

function problemResponses({ problems, body, answers }: RouteDoc, access: string, components: Components) {
  const { everywhere, withToken, withBody } = commonProblems;
  const possible: readonly ProblemCode[] = [
    ...problems,
    ...everywhere,
    ...(access === "open" ? [] : withToken),
    ...(body ? withBody : []),
  ];
  const codes = (Object.keys(problemCodes) as readonly ProblemCode[]).filter((code) => possible.includes(code));
  const byStatus = Map.groupBy(codes, (code) => problemCodes[code].status);
  return [...byStatus]
    .filter(([status]) => answers[status] === undefined)
    .map(([status, group]) => [String(status), { $ref: components.problem(status, group) }] as const);
}

/** Parts with a name, each told once: those that something refers to. */
interface Components {
  /** The schema, with references to the named ones in it. */
  readonly refer: (schema: JsonSchema) => JsonSchema;
  /** Where the answer with one of these problems is described. */
  readonly problem: (status: number, codes: readonly ProblemCode[]) => string;
  /** By name. */
  readonly used: () => Pick<OpenApiDocument["components"], "schemas" | "responses">;
}

function createComponents(): Components {
  // By identity: a decoder always has the same schema.
  const names = new Map<JsonSchema, string>([
    ...Object.entries(namedShapes).map(([name, decoder]) => [schemaOf(decoder), name] as const),
    ...(Object.keys(ruleKinds) as readonly RuleKind[]).map((kind) => [ruleSchema(kind), kind] as const),
  ]);
  const schemas = new Map<string, JsonSchema>();
  const responses = new Map<string, Response>();

  const refer = (schema: JsonSchema): JsonSchema => {
    const name = names.get(schema);
    if (name === undefined) return mapSchemas(schema, refer);
    if (!schemas.has(name)) {
      const { $schema: _dialect, $id: _address, ...rest } = schema;
      schemas.set(name, mapSchemas(rest, refer));
    }
    return { $ref: `#/components/schemas/${name}` };
  };

  const problem = (status: number, codes: readonly ProblemCode[]): string => {
    const name = ["Problem", status, ...codes.map((code) => code.replace("/", "-"))].join(".");
    if (!responses.has(name)) {
      const told = codes.map((code) => `${problemCodes[code].title} (\`${code}\`).`);
      const content = { [problemContentType]: { schema: refer(schemaOf(problemView)) } };
      responses.set(name, { description: told.join(" "), content });
    }
    return `#/components/responses/${name}`;
  };

  return { refer, problem, used: () => ({ schemas: sorted(schemas), responses: sorted(responses) }) };
}

const sorted = <T>(parts: ReadonlyMap<string, T>): Readonly<Record<string, T>> =>
  Object.fromEntries([...parts].sort(([a], [b]) => compareText(a, b)));
