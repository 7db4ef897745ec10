import type { JsonPointer } from "../base/json-pointer.ts";
import type { HeaderMatcher } from "../envoy/route-messages.ts";
import { asBytes, asCharacters } from "../envoy/string-matcher.ts";
import { type Condition, quoted } from "./condition.ts";
import type { Facts } from "./request.ts";
import type { Manner } from "./semantics.ts";
import { plainMatch, regexMatch, type TextMatch, textMatch } from "./text-match.ts";

/** What a route asks of one header. */
export function headerCondition(matcher: HeaderMatcher, pointer: JsonPointer, manner: Manner): Condition {
  const { invertMatch, treatMissingHeaderAsEmpty } = matcher;
  const name = asBytes(matcher.name.toLowerCase());
  const valuesIn = ({ header }: Facts): readonly string[] => {
    const values = header(name);
    return values.length === 0 && treatMissingHeaderAsEmpty ? [""] : values;
  };
  const found: Condition["found"] = ({ header }) => {
    const values = header(name);
    return values.length === 0
      ? "it is not there"
      : `it is ${values.map((value) => quoted(asCharacters(value))).join(" and ")}`;
  };
  const orEmpty = treatMissingHeaderAsEmpty ? ", empty where it is missing" : "";
  const wanted = valueMatch(matcher, pointer, manner);
  if (typeof wanted === "boolean") {
    const isThere = wanted !== invertMatch;
    return {
      ...{ pointer, found },
      text: `the header ${name} is ${isThere ? "" : "not "}there${orEmpty}`,
      holds: (facts) => valuesIn(facts).length > 0 === isThere,
    };
  }
  return {
    ...{ pointer, found },
    text: `the header ${name} ${invertMatch ? "is there, and not one that " : ""}${wanted.text}${orEmpty}`,
    holds: (facts) => {
      const values = valuesIn(facts);
      return values.length > 0 && values.some(wanted.holds) !== invertMatch;
    },
  };
}

/** A boolean: whether the header is to be there. */
function valueMatch(
  { headerMatchSpecifier: wanted }: HeaderMatcher,
  pointer: JsonPointer,
  manner: Manner,
): TextMatch | boolean {
  switch (wanted.case) {
    case undefined:
      return true;
    case "presentMatch":
      return wanted.value;
    case "stringMatch":
      return textMatch(wanted.value, `${pointer}/stringMatch`, manner);
    case "safeRegexMatch":
      return regexMatch(wanted.value.regex, manner);
    case "exactMatch":
      return plainMatch("exact", wanted.value);
    case "prefixMatch":
      return plainMatch("prefix", wanted.value);
    case "suffixMatch":
      return plainMatch("suffix", wanted.value);
    case "containsMatch":
      return plainMatch("contains", wanted.value);
    case "rangeMatch":
      return rangeMatch(wanted.value.start, wanted.value.end);
  }
}

const maxInt64 = 2n ** 63n - 1n;

/** `end` is not in it. */
function rangeMatch(start: bigint, end: bigint): TextMatch {
  return {
    text: `is a whole number from ${start} up to ${end}, without it`,
    holds: (text) => {
      const [, digits] = /^[\t-\r ]*([+-]?[0-9]+)[\t-\r ]*$/.exec(text) ?? [];
      if (digits === undefined) return false;
      const number = BigInt(digits.replace("+", ""));
      return number >= -maxInt64 - 1n && number <= maxInt64 && number >= start && number < end;
    },
  };
}
