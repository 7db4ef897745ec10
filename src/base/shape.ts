import { choice, type Decoder, described, fail, integer, mapOf } from "./decode.ts";
import { optional, reply, type required } from "./decode-object.ts";

/* Decoders of what our own servers wrote. */

/** The field of a shape for a property of its type: optional where that one is. */
type FieldFor<V, K extends keyof V> =
  object extends Pick<V, K> ? ReturnType<typeof optional<Exclude<V[K], undefined>>> : ReturnType<typeof required<V[K]>>;

/** A shape has every property of its type, so that none is forgotten. */
type FieldsFor<V> = { readonly [K in keyof V]-?: FieldFor<V, K> };

// That the fields make up the type is what FieldsFor says; the compiler cannot follow it through the type of `reply`.
export const shape = <V>(fields: FieldsFor<V>): Decoder<V> => reply(fields) as Decoder<unknown> as Decoder<V>;

export const anyText: Decoder<string> = described(
  (value, site) => (typeof value === "string" ? value : fail(site, "invalid-type", "Expected a text.")),
  { type: "string" },
);
export const time = described(anyText, { format: "date-time" });
export const number = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
export const positive = integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
export const texts = mapOf(anyText);

/** A part of something: 0 to 1. */
export const share: Decoder<number> = described(
  (value, site) =>
    typeof value === "number" && value >= 0 && value <= 1
      ? value
      : fail(site, "invalid-value", "Expected a number from 0 to 1."),
  { type: "number", minimum: 0, maximum: 1 },
);

/** Not of a whole number: milliseconds, say. */
export const amount: Decoder<number> = described(
  (value, site) =>
    typeof value === "number" && value >= 0
      ? value
      : fail(site, "invalid-value", "Expected a number that is not below 0."),
  { type: "number", minimum: 0 },
);

/** More than this is not read of one list of an answer. */
export const many = { max: 1_000_000 };

export const word = <T extends string>(...words: readonly T[]): Decoder<T> =>
  choice(Object.fromEntries(words.map((each) => [each, each])) as Record<string, T>);

/** Where in a text: absent where there is none. */
export const placeFields = { file: optional(anyText), line: optional(positive), column: optional(positive) };
