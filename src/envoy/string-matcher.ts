import { RE2JS } from "re2js";
import type { StringMatcher } from "../gen/envoy/type/matcher/v3/string_pb.ts";

/** Of a text as bytes: see `asBytes`. */
export type TextTest = (text: string) => boolean;

const comparisons = {
  exact: (text: string, wanted: string) => text === wanted,
  prefix: (text: string, wanted: string) => text.startsWith(wanted),
  suffix: (text: string, wanted: string) => text.endsWith(wanted),
  contains: (text: string, wanted: string) => text.includes(wanted),
} as const;

export type Comparison = keyof typeof comparisons;

/**
 * Whether a text is what the matcher wants, compared as Envoy does: bytes, of which only the letters of ASCII have a case. undefined
 * for a matcher of a kind that we cannot carry out; throws RE2's error for a bad pattern.
 */
export function stringTest({ matchPattern, ignoreCase }: StringMatcher, units: Units): TextTest | undefined {
  switch (matchPattern.case) {
    case "safeRegex":
      return regexTest(matchPattern.value.regex, units);
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      return comparisonTest(matchPattern.case, matchPattern.value, ignoreCase);
    default:
      return undefined;
  }
}

export function comparisonTest(comparison: Comparison, value: string, ignoreCase = false): TextTest {
  const compare = comparisons[comparison];
  const bytes = asBytes(value);
  if (!ignoreCase) return (text) => compare(text, bytes);
  const wanted = asciiLower(bytes);
  return (text) => compare(asciiLower(text), wanted);
}

/** What a dot in a pattern stands for. */
export type Units = "bytes" | "characters";

/** Whether the whole text fits the pattern, in RE2's syntax; throws RE2's error for a bad one. */
export function regexTest(pattern: string, units: Units): TextTest {
  if (units === "characters") {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.matches(asCharacters(text));
  }
  const compiled = RE2JS.compile(asBytes(pattern));
  return (text) => compiled.matches(text);
}

export const asciiLower = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

const utf8 = new TextEncoder();

/** A character for each byte of the text in UTF-8. */
export const asBytes = (text: string): string => (isAscii(text) ? text : latin1(utf8.encode(text)));

/** The inverse of `asBytes`; what is no UTF-8 is replaced. */
export const asCharacters = (bytes: string): string =>
  isAscii(bytes) ? bytes : new TextDecoder().decode(Uint8Array.from(bytes, (unit) => unit.charCodeAt(0)));

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII stands for itself.
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
