/** The part of JSON Schema 2020-12 that we write: what a value from outside may be, for people, editors and generators. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: JsonScalar;
  readonly enum?: readonly JsonScalar[];
  readonly default?: unknown;
  readonly deprecated?: boolean;
  readonly format?: string;
  /** An ECMAScript regular expression that is valid with the flag `u`. */
  readonly pattern?: string;
  /** In code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  /** At least one item is so. */
  readonly contains?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly propertyNames?: JsonSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

export type JsonType = "string" | "integer" | "number" | "boolean" | "object" | "array" | "null";
export type JsonScalar = string | number | boolean | null;

/** The dialect, as `$schema` says it. */
export const jsonSchemaDialect = "https://json-schema.org/draft/2020-12/schema";

/** The same, or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values, description, default: fallback, deprecated, ...rest } = schema;
  if (Object.keys(rest).length === 0 && type === undefined && values === undefined) return schema;
  if (typeof type === "string" && schema.const === undefined && schema.$ref === undefined) {
    return { ...schema, type: type === "null" ? type : [type, "null"], ...(values && { enum: [...values, null] }) };
  }
  return { anyOf: [schema, { type: "null" }] };
}

/** Of an object: the field is there, and not null. */
export const hasField = (name: string, schema: JsonSchema & { readonly type: JsonType }): JsonSchema => ({
  properties: { [name]: schema },
  required: [name],
});

/** A regular expression's source that stands for a text in whatever case of ASCII letters. */
export function inAnyCase(text: string): string {
  const letters = Array.from(text, (char) =>
    /[a-z]/i.test(char) ? `[${char.toUpperCase()}${char.toLowerCase()}]` : char.replace(/[.*+?^${}()|[\]\\]/, "\\$&"),
  );
  return letters.join("");
}

/** The schema with each schema that stands directly in it replaced. */
export function mapSchemas(schema: JsonSchema, to: (part: JsonSchema) => JsonSchema): JsonSchema {
  const { items, contains, properties, additionalProperties, propertyNames, anyOf, oneOf } = schema;
  return {
    ...schema,
    ...(items && { items: to(items) }),
    ...(contains && { contains: to(contains) }),
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, to(part)])),
    }),
    ...(additionalProperties && { additionalProperties: to(additionalProperties) }),
    ...(propertyNames && { propertyNames: to(propertyNames) }),
    ...(anyOf && { anyOf: anyOf.map(to) }),
    ...(oneOf && { oneOf: oneOf.map(to) }),
  };
}
