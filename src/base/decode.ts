import { type JsonPointer, pointerTo } from "./json-pointer.ts";
import { nearest } from "./nearest.ts";

/**
 * Decoders turn plain data from outside into typed values and tell everything that is wrong with it, each problem
 * with its place. They are values: small ones are put together with `object`, `list`, `stringMap`, `refined`.
 *
 *     const port = object({ number: required(integer({ min: 1, max: 65535 })), name: optional(text()) });
 *     const result = decode(port, { number: 0 });
 *     // { ok: false, problems: [{ severity: "error", code: "invalid-value", pointer: "/number", … }] }
 */
export type Decoder<T> = (value: unknown, site: Site) => T | Failed;

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

/** A decoder that also checks its value; the check reports what is wrong with `fail`, for as many problems as it finds. */
export function refined<T>(decoder: Decoder<T>, check: (value: T, site: Site) => void): Decoder<T> {
  return (value, site) => {
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
}

/** A decoder whose value is turned into another one; `to` may fail. */
export function mapped<T, R>(decoder: Decoder<T>, to: (value: T, site: Site) => R | Failed): Decoder<R> {
  return (value, site) => {
    const decoded = decoder(value, site);
    return decoded === failed ? failed : to(decoded, site);
  };
}

/* Plain values */

export const boolean: Decoder<boolean> = (value, site) =>
  typeof value === "boolean" ? value : wrongType(site, "true or false", value);

/** A whole number from `min` to `max`, both included. */
export function integer({ min, max }: { readonly min: number; readonly max: number }): Decoder<number> {
  return (value, site) => {
    if (typeof value !== "number") return wrongType(site, "a whole number", value);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    const hint = value < min ? `Use ${min} or more.` : value > max ? `Use ${max} or less.` : "Use a whole number.";
    return fail(site, "invalid-value", `Expected a whole number from ${min} to ${max}, found ${value}.`, hint);
  };
}

export interface TextOptions {
  /** In UTF-16 units; 1 when not given, so that an empty text is refused. */
  readonly minLength?: number;
  /** In UTF-16 units; 1024 when not given. */
  readonly maxLength?: number;
}

/** A text without control characters. */
export function text({ minLength = 1, maxLength = 1024 }: TextOptions = {}): Decoder<string> {
  return (value, site) => {
    if (typeof value !== "string") return wrongType(site, "a text", value);
    if (value.length < minLength || value.length > maxLength) {
      const found = value === "" ? "an empty one" : `one of ${value.length}`;
      return fail(site, "invalid-value", `Expected a text of ${minLength} to ${maxLength} characters, found ${found}.`);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (/[\u0000-\u001f\u007f]/.test(value) || !value.isWellFormed()) {
      return fail(site, "invalid-value", `Expected a text without control characters, found ${show(value)}.`);
    }
    return value;
  };
}

/** A text in a grammar: `parse` gives undefined for what is not `expected` (as in "Expected a host name, found …"). */
export function parsed<T>(
  parse: (text: string) => T | undefined,
  expected: string,
  options: TextOptions & { readonly hint?: string } = {},
): Decoder<T> {
  return mapped(text(options), (value, site) => {
    const result = parse(value);
    return result ?? fail(site, "invalid-value", `Expected ${expected}, found ${show(value)}.`, options.hint);
  });
}

export interface ChoiceOptions {
  /** Values that exist but are not carried out. */
  readonly unsupported?: readonly string[];
  readonly ignoreCase?: boolean;
}

/** One of the texts in the table, which says what each one means. */
export function choice<T>(table: Readonly<Record<string, T>>, options: ChoiceOptions = {}): Decoder<T> {
  const { unsupported = [], ignoreCase = false } = options;
  const fold = (name: string) => (ignoreCase ? name.toLowerCase() : name);
  const meanings = new Map(Object.entries(table).map(([name, meaning]) => [fold(name), meaning]));
  const known = Object.keys(table);
  return mapped(text({ minLength: 0 }), (value, site) => {
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
}

/* Collections */

export interface SizeOptions {
  readonly min?: number;
  readonly max?: number;
}

/** Items of a list keep the indexes that they have in the document. 10,000 items at most when `max` is not given. */
export function list<T>(item: Decoder<T>, { min = 0, max = 10_000 }: SizeOptions = {}): Decoder<readonly T[]> {
  return (value, site) => {
    if (!Array.isArray(value)) return wrongType(site, "a list", value);
    if (value.length < min) return wrongSize(site, `at least ${countOf(min, "item")}`, value.length);
    if (value.length > max) return wrongSize(site, `at most ${countOf(max, "item")}`, value.length);
    const items = value.map((entry: unknown, index) => item(entry, below(site, index)));
    return items.includes(failed) ? failed : (items as readonly T[]);
  };
}

/** An object whose field names are data (labels, headers): name to value, in the order of the document. */
export function mapOf<T>(
  item: Decoder<T>,
  { name, max = 1000 }: { readonly name?: Decoder<string>; readonly max?: number } = {},
): Decoder<Readonly<Record<string, T>>> {
  return (value, site) => {
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
}

/** Texts by name. Values may be empty. */
export const stringMap: Decoder<Readonly<Record<string, string>>> = mapOf(text({ minLength: 0 }));

/** Anything, without a look inside. */
export const anything: Decoder<unknown> = (value) => value;

/* Objects */

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
  return (value, site) => {
    if (!isObject(value)) return wrongType(site, "an object", value);
    const decoded = Object.entries(fields).map(([name, field]) => [name, fieldOf(value, name, field, site)] as const);
    const foreign = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
    const refused = foreign.map((name) => otherField(name, others, named, below(site, name)));
    if (refused.includes(failed) || decoded.some(([, entry]) => entry === failed)) return failed;
    return Object.fromEntries(decoded.filter(([, entry]) => entry !== undefined)) as ObjectOf<F>;
  };
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

/* Words for people */

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function wrongType(site: Site, expected: string, value: unknown): Failed {
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
