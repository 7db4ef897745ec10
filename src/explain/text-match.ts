import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import type { StringMatcher } from "../envoy/route-messages.ts";
import { type Comparison, comparisonTest, regexTest, type TextTest } from "../envoy/string-matcher.ts";
import { quoted, Unsupported } from "./condition.ts";
import type { Manner } from "./semantics.ts";

export interface TextMatch {
  readonly holds: TextTest;
  /** What is wanted, in words that go on a sentence: `begins with "a"`. */
  readonly text: string;
}

const words: Readonly<Record<Comparison, string>> = {
  exact: "is",
  prefix: "begins with",
  suffix: "ends with",
  contains: "contains",
};

export const plainMatch = (comparison: Comparison, value: string, ignoreCase = false): TextMatch => ({
  holds: comparisonTest(comparison, value, ignoreCase),
  text: `${words[comparison]} ${quoted(value)}${ignoreCase ? " in any case" : ""}`,
});

export const regexMatch = (regex: string, { regexUnits }: Manner): TextMatch => ({
  holds: regexTest(regex, regexUnits),
  text: `matches ${quoted(regex)}`,
});

export function textMatch(
  { matchPattern, ignoreCase }: StringMatcher,
  pointer: JsonPointer,
  manner: Manner,
): TextMatch {
  if (matchPattern.case === "safeRegex") return regexMatch(matchPattern.value.regex, manner);
  if (matchPattern.case === undefined || matchPattern.case === "custom") {
    throw new Unsupported("a string matcher of its own kind", pointerTo(pointer, matchPattern.case ?? ""));
  }
  return plainMatch(matchPattern.case, matchPattern.value, ignoreCase);
}
