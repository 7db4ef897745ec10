import { type JsonSchema, jsonSchemaDialect } from "../base/json-schema.ts";
import { documentSchema } from "./decode-rule.ts";
import type { RuleKind } from "./rule.ts";
import { apiVersions, pluralOf, ruleKinds } from "./rule-kinds.ts";

/** Where the server gives the schema of a kind out. */
export const schemaPath = (kind: RuleKind) => `/schemas/${pluralOf(kind)}.json` as const;

/**
 * A whole document of the kind: what it may be, and what it must have. What is not valid is refused. The same object
 * whenever it is asked for.
 */
export const ruleSchema = (kind: RuleKind): JsonSchema => schemas[kind];

const schemas = Object.fromEntries(
  (Object.keys(ruleKinds) as readonly RuleKind[]).map((kind) => [kind, schemaFor(kind)]),
) as Readonly<Record<RuleKind, JsonSchema>>;

function schemaFor(kind: RuleKind): JsonSchema {
  const { properties, required = [], ...rest } = documentSchema(kind);
  return {
    $schema: jsonSchemaDialect,
    $id: schemaPath(kind),
    title: kind,
    ...rest,
    properties: {
      ...properties,
      apiVersion: { type: "string", enum: apiVersions },
      kind: { type: "string", const: kind },
    },
    required: ["apiVersion", "kind", ...required],
  };
}
