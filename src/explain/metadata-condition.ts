import type { JsonPointer } from "../base/json-pointer.ts";
import type { MetadataMatcher, ValueMatcher } from "../envoy/route-messages.ts";
import { asBytes } from "../envoy/string-matcher.ts";
import { type Condition, quoted, Unsupported } from "./condition.ts";
import type { Manner } from "./semantics.ts";
import { textMatch } from "./text-match.ts";

interface ValueMatch {
  readonly holds: (value: unknown) => boolean;
  readonly text: string;
}

/** What a route asks of what a filter before it found out. */
export function metadataCondition(
  { filter, path, value, invert }: MetadataMatcher,
  pointer: JsonPointer,
  manner: Manner,
): Condition {
  const keys = path.map(({ segment }) => segment.value ?? "");
  const { holds, text } = valueMatch(value, `${pointer}/value`, manner);
  return {
    pointer,
    text: `the metadata ${[filter, ...keys].join(".")} ${invert ? "is not one that " : ""}${text}`,
    holds: ({ request }) => holds(valueAt(request.metadata?.[filter], keys)) !== invert,
    found: ({ request }) => {
      const there = valueAt(request.metadata?.[filter], keys);
      return there === undefined ? "it is not there" : `it is ${JSON.stringify(there)}`;
    },
  };
}

const valueAt = (value: unknown, keys: readonly string[]): unknown => keys.reduce(fieldOf, value);

const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;

function valueMatch(matcher: ValueMatcher | undefined, pointer: JsonPointer, manner: Manner): ValueMatch {
  const wanted = matcher?.matchPattern;
  switch (wanted?.case) {
    case "nullMatch":
      return { text: "is null", holds: (value) => value === null };
    case "boolMatch":
      return { text: `is ${wanted.value}`, holds: (value) => value === wanted.value };
    case "presentMatch":
      return {
        text: wanted.value ? "is there" : "never matches",
        holds: (value) => wanted.value && value !== undefined,
      };
    case "stringMatch": {
      const { holds, text } = textMatch(wanted.value, `${pointer}/stringMatch`, manner);
      return { text, holds: (value) => typeof value === "string" && holds(asBytes(value)) };
    }
    case "doubleMatch":
      return numberMatch(wanted.value.matchPattern, pointer);
    case "listMatch": {
      const { case: kind, value } = wanted.value.matchPattern;
      if (kind !== "oneOf") throw new Unsupported("a list matcher of its own kind", `${pointer}/listMatch`);
      const { holds, text } = valueMatch(value, `${pointer}/listMatch/oneOf`, manner);
      return { text: `has an item that ${text}`, holds: (all) => Array.isArray(all) && all.some(holds) };
    }
    case "orMatch": {
      const any = wanted.value.valueMatchers.map((one, i) =>
        valueMatch(one, `${pointer}/orMatch/valueMatchers/${i}`, manner),
      );
      return {
        text: any.map(({ text }) => text).join(", or "),
        holds: (value) => any.some(({ holds }) => holds(value)),
      };
    }
    default:
      throw new Unsupported("a value matcher without a kind", pointer);
  }
}

type NumberPattern = Extract<ValueMatcher["matchPattern"], { case: "doubleMatch" }>["value"]["matchPattern"];

function numberMatch(wanted: NumberPattern, pointer: JsonPointer): ValueMatch {
  switch (wanted.case) {
    case "exact":
      return { text: `is ${quoted(String(wanted.value))}`, holds: (value) => value === wanted.value };
    case "range": {
      const { start, end } = wanted.value;
      return {
        text: `is a number from ${start} up to ${end}, without it`,
        holds: (value) => typeof value === "number" && value >= start && value < end,
      };
    }
    default:
      throw new Unsupported("a number matcher without a kind", `${pointer}/doubleMatch`);
  }
}
