import {
  below,
  choice,
  type Decoder,
  decode,
  type Failed,
  fail,
  failed,
  isObject,
  type Site,
  schemaOf,
  show,
  withSchema,
  wrongType,
} from "./decode.ts";
import { type JsonSchema, orNull } from "./json-schema.ts";
import { nearest } from "./nearest.ts";

/** A field of an object: how it is decoded, and what its absence (or null) means. */
export type Field<T> =
  | { readonly kind: "required"; readonly decoder: Decoder<T>; readonly hint: string | undefined }
  | { readonly kind: "optional"; readonly decoder: Decoder<T> }
  | { readonly kind: "default"; readonly decoder: Decoder<T>; readonly value: T };

/** Absent: an error, with what to do about it where that is not plain. */
export const required = <T>(decoder: Decoder<T>, hint?: string) => ({ kind: "required", decoder, hint }) as const;
/** Absent: the property is absent too. */
export const optional = <T>(decoder: Decoder<T>) => ({ kind: "optional", decoder }) as const;
/** Absent: this value. */
export const withDefault = <T>(decoder: Decoder<T>, value: NoInfer<T>) =>
  ({ kind: "default", decoder, value }) as const;

export type Fields = Readonly<Record<string, Field<unknown>>>;

type ValueOf<F> = F extends { readonly decoder: Decoder<infer T> } ? T : never;
type OptionalKey<F extends Fields> = { [K in keyof F]: F[K]["kind"] extends "optional" ? K : never }[keyof F];

/** The value of an object with these fields. */
export type ObjectOf<F extends Fields> = {
  readonly [K in keyof F as K extends OptionalKey<F> ? never : K]: ValueOf<F[K]>;
} & { readonly [K in OptionalKey<F>]?: ValueOf<F[K]> };

/** Other fields that may turn up. A field that is in no list is an unknown one, and an error. */
export interface OtherFields {
  /** Known, but not carried out: an error by name. */
  readonly unsupported?: readonly string[];
  /** Purely descriptive: dropped with a warning. */
  readonly dropped?: readonly string[];
  /** Accepted and not kept. */
  readonly ignored?: readonly string[];
  /** All other fields are somebody else's matter: no look at them. */
  readonly open?: boolean;
}

export function object<F extends Fields>(fields: F, others: OtherFields = {}): Decoder<ObjectOf<F>> {
  const known = [...Object.keys(fields), ...(others.dropped ?? []), ...(others.ignored ?? [])];
  const named = [...known, ...(others.unsupported ?? [])];
  const decoder: Decoder<ObjectOf<F>> = (value, site) => {
    if (!isObject(value)) return wrongType(site, "an object", value);
    const decoded = Object.entries(fields).map(([name, field]) => [name, fieldOf(value, name, field, site)] as const);
    const foreign = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
    const refused = foreign.map((name) => otherField(name, others, named, below(site, name)));
    if (refused.includes(failed) || decoded.some(([, entry]) => entry === failed)) return failed;
    return Object.fromEntries(decoded.filter(([, entry]) => entry !== undefined)) as ObjectOf<F>;
  };
  return withSchema(decoder, () => objectSchema(fields, others, orNull));
}

/**
 * An object that a server of ours wrote. A newer one may write more fields, so others are no error; and its schema says
 * what we promise, which is less than what is decoded: a field that is not known is absent, never null.
 */
export const reply = <F extends Fields>(fields: F): Decoder<ObjectOf<F>> =>
  withSchema(object(fields, { open: true }), () => objectSchema(fields, { open: true }, (schema) => schema));

/** One of several kinds of objects, told apart by the text of one field, which each of them has. */
export function oneOfKinds<T>(name: string, kinds: Readonly<Record<string, Decoder<T>>>): Decoder<T> {
  const tag = choice(Object.fromEntries(Object.entries(kinds).map(([kind, decoder]) => [kind, { decoder }])));
  const tagged = object({ [name]: required(tag) }, { open: true });
  const decoder: Decoder<T> = (value, site) => {
    const decoded = tagged(value, site);
    return decoded === failed ? failed : (decoded[name]?.decoder(value, site) ?? failed);
  };
  return withSchema(decoder, () => ({ oneOf: Object.values(kinds).map(schemaOf) }));
}

function objectSchema(fields: Fields, others: OtherFields, absent: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const properties = Object.entries(fields).map(([name, field]) => [name, fieldSchema(field, absent)] as const);
  const needed = Object.keys(fields).filter((name) => fields[name]?.kind === "required");
  return {
    type: "object",
    properties: Object.fromEntries([
      ...properties,
      ...(others.ignored ?? []).map((name) => [name, {}] as const),
      ...(others.dropped ?? []).map((name) => [name, { deprecated: true }] as const),
    ]),
    ...(needed.length > 0 && { required: needed }),
    ...(!others.open && { additionalProperties: false }),
  };
}

function fieldSchema(field: Field<unknown>, absent: (schema: JsonSchema) => JsonSchema): JsonSchema {
  const schema = schemaOf(field.decoder);
  if (field.kind === "required") return schema;
  const shown = absent(schema);
  return field.kind === "default" && isPlain(field) ? { ...shown, default: field.value } : shown;
}

/** Is the default a value as documents write it? The decoder then takes it and gives it back as it is. */
function isPlain({ decoder, value }: { readonly decoder: Decoder<unknown>; readonly value: unknown }): boolean {
  const result = decode(decoder, value);
  return result.ok && JSON.stringify(result.value) === JSON.stringify(value);
}

function fieldOf(parent: object, name: string, field: Field<unknown>, site: Site): unknown {
  const value: unknown = Object.hasOwn(parent, name) ? (parent as Record<string, unknown>)[name] : undefined;
  const at = below(site, name);
  if (value !== undefined && value !== null) return field.decoder(value, at);
  if (field.kind === "optional") return undefined;
  if (field.kind === "default") return field.value;
  return fail(at, "missing-field", `The field ${name} is missing.`, field.hint);
}

function otherField(name: string, others: OtherFields, named: readonly string[], site: Site): Failed | undefined {
  if (others.open || others.ignored?.includes(name)) return undefined;
  if (others.dropped?.includes(name)) {
    const message = `The field ${name} is descriptive only and was dropped.`;
    site.report({ severity: "warning", code: "dropped-field", pointer: site.pointer, message });
    return undefined;
  }
  if (others.unsupported?.includes(name)) {
    return fail(site, "unsupported-field", `The field ${name} is not carried out yet.`, "Remove it.");
  }
  const near = nearest(name, named);
  const hint = near === undefined ? `Known here: ${named.join(", ")}.` : `Did you mean ${near}?`;
  return fail(site, "unknown-field", `There is no field ${show(name)}.`, hint);
}
