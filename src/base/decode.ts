import { type JsonPointer, pointerTo } from "./json-pointer.ts";
import { inAnyCase, type JsonSchema } from "./json-schema.ts";
import { nearest } from "./nearest.ts";

/**
 * Decoders turn plain data from outside into typed values and tell everything that is wrong with it, each problem
 * with its place. They are values: small ones are put together with `object` (in `decode-object.ts`), `list`, `stringMap`, `refined`.
 *
 *     const port = object({ number: required(integer({ min: 1, max: 65535 })), name: optional(text()) });
 *     const result = decode(port, { number: 0 });
 *     // { ok: false, problems: [{ severity: "error", code: "invalid-value", pointer: "/number", … }] }
 *     schemaOf(port); // { type: "object", properties: { number: { type: "integer", minimum: 1, … }, … }, … }
 *
 * A function alone is a decoder too; `described` tells what it accepts.
 */
export interface Decoder<T> {
  (value: unknown, site: Site): T | Failed;
  /** For `schemaOf`. */
  readonly schema?: () => JsonSchema;
}

/** What a decoder returns after it reported an error. */
export const failed: unique symbol = Symbol("failed");
export type Failed = typeof failed;

/** Where a decoder is, and whom it tells. */
export interface Site {
  readonly pointer: JsonPointer;
  readonly report: (problem: Problem) => void;
}

export type ProblemCode =
  | "missing-field"
  | "unknown-field"
  | "unsupported-field"
  | "unsupported-value"
  | "dropped-field"
  | "invalid-type"
  | "invalid-value"
  | "invalid-regex"
  | "conflict";

export interface Problem {
  readonly severity: "error" | "warning";
  readonly code: ProblemCode;
  readonly pointer: JsonPointer;
  /** What was found and what was expected; a whole sentence. */
  readonly message: string;
  /** What to do; a whole sentence. */
  readonly hint?: string;
}

/** `ok`: the value, and warnings; else at least one error. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** More problems of one severity than this are not listed. */
export const maxListed = 100;

/** Decodes a value; `pointer` is where it stands in its document. Problems come in the order of the decoder's fields. */
export function decode<T>(decoder: Decoder<T>, value: unknown, pointer: JsonPointer = ""): Decoded<T> {
  const counts = { error: 0, warning: 0 };
  const problems: Problem[] = [];
  const report = (problem: Problem) => {
    counts[problem.severity] += 1;
    if (counts[problem.severity] <= maxListed) problems.push(problem);
  };
  const decoded = decoder(value, { pointer, report });
  return decoded === failed || counts.error > 0 ? { ok: false, problems } : { ok: true, value: decoded, problems };
}

/** Reports an error at the site, and fails. */
export function fail(site: Site, code: ProblemCode, message: string, hint?: string): Failed {
  site.report({ severity: "error", code, pointer: site.pointer, message, ...(hint !== undefined && { hint }) });
  return failed;
}

/** The site one step further down. */
export const below = (site: Site, step: string | number): Site => ({
  pointer: pointerTo(site.pointer, step),
  report: site.report,
});

/* What is accepted, as JSON Schema */

/**
 * What the decoder accepts: every value that it takes is valid, and it refuses what is not. Not the other way round: some
 * of what is valid is refused too, because a schema cannot say everything. One object a decoder, whenever it is asked.
 */
export const schemaOf = (decoder: Decoder<unknown>): JsonSchema => decoder.schema?.() ?? {};

/** The decoder, with more said about what it accepts than it knows by itself. `narrow` wins over what it knows. */
export function described<T>(decoder: Decoder<T>, narrow: JsonSchema | (() => JsonSchema)): Decoder<T> {
  return withSchema(decoder, () => ({
    ...schemaOf(decoder),
    ...(typeof narrow === "function" ? narrow() : narrow),
  }));
}

/** Made when it is first asked for: most decoders never are. */
export function withSchema<T>(decoder: Decoder<T>, make: () => JsonSchema): Decoder<T> {
  let made: JsonSchema | undefined;
  const schema = () => {
    made ??= make();
    return made;
  };
  return Object.assign((value: unknown, site: Site) => decoder(value, site), { schema });
}

/**
 * A decoder that also checks its value; the check reports what is wrong with `fail`, for as many problems as it finds.
 * `narrow`: what a schema can say of the check.
 */
export function refined<T>(
  decoder: Decoder<T>,
  check: (value: T, site: Site) => void,
  narrow: JsonSchema = {},
): Decoder<T> {
  const checked: Decoder<T> = (value, site) => {
    const decoded = decoder(value, site);
    if (decoded === failed) return failed;
    let errors = 0;
    const report = (problem: Problem) => {
      if (problem.severity === "error") errors += 1;
      site.report(problem);
    };
    check(decoded, { pointer: site.pointer, report });
    return errors > 0 ? failed : decoded;
  };
  return withSchema(checked, () => ({ ...schemaOf(decoder), ...narrow }));
}

/** A decoder whose value is turned into another one; `to` may fail. `narrow`: what a schema can say of what it refuses. */
export function mapped<T, R>(
  decoder: Decoder<T>,
  to: (value: T, site: Site) => R | Failed,
  narrow: JsonSchema = {},
): Decoder<R> {
  const turned: Decoder<R> = (value, site) => {
    const decoded = decoder(value, site);
    return decoded === failed ? failed : to(decoded, site);
  };
  return withSchema(turned, () => ({ ...schemaOf(decoder), ...narrow }));
}

/* Plain values */

export const boolean: Decoder<boolean> = described(
  (value, site) => (typeof value === "boolean" ? value : wrongType(site, "true or false", value)),
  { type: "boolean" },
);

/** A whole number from `min` to `max`, both included. */
export function integer({ min, max }: { readonly min: number; readonly max: number }): Decoder<number> {
  const decoder: Decoder<number> = (value, site) => {
    if (typeof value !== "number") return wrongType(site, "a whole number", value);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    const hint = value < min ? `Use ${min} or more.` : value > max ? `Use ${max} or less.` : "Use a whole number.";
    return fail(site, "invalid-value", `Expected a whole number from ${min} to ${max}, found ${value}.`, hint);
  };
  return described(decoder, { type: "integer", minimum: min, maximum: max });
}

export interface TextOptions {
  /** In UTF-16 units; 1 when not given, so that an empty text is refused. */
  readonly minLength?: number;
  /** In UTF-16 units; 1024 when not given. */
  readonly maxLength?: number;
  /** Line breaks and tabs are fine. */
  readonly multiline?: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const oneLine = /^[^\u0000-\u001f\u007f]*$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const manyLines = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/u;

/** A text without control characters. */
export function text({ minLength = 1, maxLength = 1024, multiline = false }: TextOptions = {}): Decoder<string> {
  const clean = multiline ? manyLines : oneLine;
  const decoder: Decoder<string> = (value, site) => {
    if (typeof value !== "string") return wrongType(site, "a text", value);
    if (value.length < minLength || value.length > maxLength) {
      const found = value === "" ? "an empty one" : `one of ${value.length}`;
      return fail(site, "invalid-value", `Expected a text of ${minLength} to ${maxLength} characters, found ${found}.`);
    }
    if (!clean.test(value) || !value.isWellFormed()) {
      return fail(site, "invalid-value", `Expected a text without control characters, found ${show(value)}.`);
    }
    return value;
  };
  // A schema counts code points, and each has one or two units.
  return described(decoder, {
    type: "string",
    ...(minLength > 0 && { minLength: Math.ceil(minLength / 2) }),
    maxLength,
    pattern: clean.source,
  });
}

export interface ParsedOptions extends TextOptions {
  readonly hint?: string;
  /**
   * What the grammar is at least; other texts are not parsed. From `^` to `$`, valid with the flag `u`, and plain enough for
   * every engine: no lookaround, no `\d` and `\w`, which mean more than ASCII to some.
   */
  readonly pattern?: RegExp;
  /** A format of JSON Schema that every such text has. */
  readonly format?: string;
}

/** A text in a grammar: `parse` gives undefined for what is not `expected` (as in "Expected a host name, found …"). */
export function parsed<T>(
  parse: (text: string) => T | undefined,
  expected: string,
  { hint, pattern, format, ...options }: ParsedOptions = {},
): Decoder<T> {
  return mapped(
    text(options),
    (value, site) => {
      const result = pattern === undefined || pattern.test(value) ? parse(value) : undefined;
      return result ?? fail(site, "invalid-value", `Expected ${expected}, found ${show(value)}.`, hint);
    },
    { ...(pattern && { pattern: pattern.source }), ...(format !== undefined && { format }) },
  );
}

export interface ChoiceOptions {
  /** Values that exist but are not carried out. */
  readonly unsupported?: readonly string[];
  readonly ignoreCase?: boolean;
}

/** One of the texts in the table, which says what each one means. */
export function choice<T>(table: Readonly<Record<string, T>>, options: ChoiceOptions = {}): Decoder<T> {
  const { unsupported = [], ignoreCase = false } = options;
  // ASCII only: to Unicode, the Kelvin sign is a capital k.
  const fold = (name: string) => (ignoreCase ? name.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : name);
  const meanings = new Map(Object.entries(table).map(([name, meaning]) => [fold(name), meaning]));
  const known = Object.keys(table);
  const decoder: Decoder<T> = mapped(text({ minLength: 0 }), (value, site) => {
    const meaning = meanings.get(fold(value));
    if (meaning !== undefined) return meaning;
    if (unsupported.some((name) => fold(name) === fold(value))) {
      const hint = `Use ${oneOf(known)}.`;
      return fail(site, "unsupported-value", `${show(value)} is not carried out yet.`, hint);
    }
    const near = nearest(value, known);
    const hint = near === undefined ? undefined : `Did you mean ${near}?`;
    return fail(site, "invalid-value", `Expected ${oneOf(known)}, found ${show(value)}.`, hint);
  });
  return withSchema(decoder, () => ({
    type: "string",
    ...(ignoreCase ? { pattern: `^(${known.map(inAnyCase).join("|")})$` } : { enum: known }),
  }));
}

/* Collections */

export interface SizeOptions {
  readonly min?: number;
  readonly max?: number;
}

/** Items of a list keep the indexes that they have in the document. 10,000 items at most when `max` is not given. */
export function list<T>(item: Decoder<T>, { min = 0, max = 10_000 }: SizeOptions = {}): Decoder<readonly T[]> {
  const decoder: Decoder<readonly T[]> = (value, site) => {
    if (!Array.isArray(value)) return wrongType(site, "a list", value);
    if (value.length < min) return wrongSize(site, `at least ${countOf(min, "item")}`, value.length);
    if (value.length > max) return wrongSize(site, `at most ${countOf(max, "item")}`, value.length);
    const items = value.map((entry: unknown, index) => item(entry, below(site, index)));
    return items.includes(failed) ? failed : (items as readonly T[]);
  };
  return withSchema(decoder, () => ({
    type: "array",
    items: schemaOf(item),
    ...(min > 0 && { minItems: min }),
    maxItems: max,
  }));
}

/** An object whose field names are data (labels, headers): name to value, in the order of the document. */
export function mapOf<T>(
  item: Decoder<T>,
  { name, max = 1000 }: { readonly name?: Decoder<string>; readonly max?: number } = {},
): Decoder<Readonly<Record<string, T>>> {
  const decoder: Decoder<Readonly<Record<string, T>>> = (value, site) => {
    if (!isObject(value)) return wrongType(site, "an object", value);
    const entries = Object.entries(value);
    if (entries.length > max) return wrongSize(site, `at most ${countOf(max, "field")}`, entries.length);
    const written = new Map<string, string>();
    const decoded = entries.map(([key, entry]) => {
      const at = below(site, key);
      const decodedName = name === undefined ? key : name(key, at);
      const decodedEntry = item(entry, at);
      if (decodedName === failed || decodedEntry === failed) return failed;
      const earlier = written.get(decodedName);
      written.set(decodedName, key);
      if (earlier === undefined) return [decodedName, decodedEntry] as const;
      return fail(at, "conflict", `${show(key)} and ${show(earlier)} are the same name.`, "Keep one of them.");
    });
    const kept = decoded.filter((pair) => pair !== failed);
    return kept.length < decoded.length ? failed : Object.fromEntries(kept);
  };
  return withSchema(decoder, () => ({
    type: "object",
    ...(name && { propertyNames: schemaOf(name) }),
    additionalProperties: schemaOf(item),
    maxProperties: max,
  }));
}

/** Texts by name. Values may be empty. */
export const stringMap: Decoder<Readonly<Record<string, string>>> = mapOf(text({ minLength: 0 }));

/** Anything, without a look inside. */
export const anything: Decoder<unknown> = (value) => value;

/* Words for people */

/** Neither null nor a list. */
export const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reports that the value is of another type than expected. */
export function wrongType(site: Site, expected: string, value: unknown): Failed {
  const quotes = expected === "a text" && (typeof value === "number" || typeof value === "boolean");
  return fail(
    site,
    "invalid-type",
    `Expected ${expected}, found ${show(value)}.`,
    quotes ? "Put it in quotes." : undefined,
  );
}

const wrongSize = (site: Site, expected: string, found: number): Failed =>
  fail(site, "invalid-value", `Expected ${expected}, found ${found}.`);

/** A value as a message shows it: short, on one line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}

/** `A`, `A or B`, `A, B or C`. */
export function oneOf(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

const countOf = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
