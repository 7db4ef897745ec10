import type { Decoder } from "../../src/base/decode.ts";
import { schemaOf } from "../../src/base/decode.ts";
import type { JsonSchema } from "../../src/base/json-schema.ts";

/** What may be sent or is answered, in the short notation of `docs/rest.md`. */
export interface SchemaTexts {
  /** On one line; shapes with a name are called by it. */
  readonly brief: (schema: JsonSchema) => string;
  /** The name of a shape; undefined: it has none. */
  readonly nameOf: (schema: JsonSchema) => string | undefined;
  /** A field on each line; of several kinds each on a line. */
  readonly full: (schema: JsonSchema) => string;
  /** The names that `brief` and `full` said so far. */
  readonly said: ReadonlySet<string>;
}

/** `shapes`: those that have a name. */
export function createSchemaTexts(shapes: Readonly<Record<string, Decoder<unknown>>>): SchemaTexts {
  // By identity: a decoder always has the same schema.
  const names = new Map(Object.entries(shapes).map(([name, decoder]) => [schemaOf(decoder), name]));
  const said = new Set<string>();

  const brief = (schema: JsonSchema): string => {
    const name = names.get(schema);
    if (name === undefined) return structure(schema);
    said.add(name);
    return name;
  };

  const structure = (schema: JsonSchema): string => {
    const { type, enum: values, const: only, items, oneOf, anyOf } = schema;
    const [one] = [type ?? []].flat();
    if (only !== undefined) return JSON.stringify(only);
    if (values !== undefined)
      return values.flatMap((value) => (value === null ? [] : JSON.stringify(value))).join(" | ");
    if (oneOf !== undefined) return oneOf.map(brief).join(" | ");
    if (anyOf !== undefined && one === undefined) return anyOf.map(brief).join(" | ");
    if (one === "array") return listOf(items === undefined ? "anything" : brief(items));
    if (one === "object") return objectText(schema);
    if (one === "string") return schema.format === "date-time" ? "time" : "text";
    return one ?? "anything";
  };

  const objectText = (schema: JsonSchema): string => {
    const { properties, additionalProperties } = schema;
    if (properties !== undefined) return `{ ${fields(schema).join(", ")} }`;
    return additionalProperties ? `{ [name]: ${brief(additionalProperties)} }` : "object";
  };

  const fields = ({ properties = {}, required = [] }: JsonSchema): readonly string[] =>
    Object.entries(properties).map(([name, field]) => `${name}${required.includes(name) ? "" : "?"}: ${brief(field)}`);

  return {
    brief,
    said,
    nameOf: (schema) => names.get(schema),
    full: (schema) => {
      if (schema.oneOf !== undefined) return schema.oneOf.map((kind) => `| ${brief(kind)}`).join("\n");
      if (schema.properties === undefined) return structure(schema);
      const lines = fields(schema).map((line) => `  ${line}\n`);
      return `{\n${lines.join("")}}`;
    },
  };
}

const listOf = (item: string): string => (/ \| /.test(item) && !item.startsWith("{") ? `(${item})[]` : `${item}[]`);
