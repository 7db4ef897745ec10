import type { JsonPointer } from "../base/json-pointer.ts";
import type { QueryParameterMatcher } from "../envoy/route-messages.ts";
import { asBytes, asCharacters } from "../envoy/string-matcher.ts";
import { type Condition, quoted } from "./condition.ts";
import type { Manner } from "./semantics.ts";
import { textMatch } from "./text-match.ts";

/** What a route asks of one parameter of the query: its first value, as it was sent. */
export function queryCondition(matcher: QueryParameterMatcher, pointer: JsonPointer, manner: Manner): Condition {
  const { name, queryParameterMatchSpecifier: wanted } = matcher;
  const bytes = asBytes(name);
  const found: Condition["found"] = ({ parameter }) => {
    const there = parameter(bytes);
    return there === undefined ? "it is not there" : `it is ${quoted(asCharacters(there))}`;
  };
  if (wanted.case === "stringMatch") {
    const { holds, text } = textMatch(wanted.value, `${pointer}/stringMatch`, manner);
    return {
      ...{ pointer, found },
      text: `the query parameter ${name} ${text}`,
      holds: ({ parameter }) => {
        const there = parameter(bytes);
        return there !== undefined && holds(there);
      },
    };
  }
  const isWanted = wanted.value ?? true;
  return {
    ...{ pointer, found },
    text: `the query parameter ${name} is ${isWanted ? "" : "not "}there`,
    holds: ({ parameter }) => (parameter(bytes) !== undefined) === isWanted,
  };
}
