import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { MeshError } from "../../base/errors.ts";
import { asBytes, stringTest, type TextTest } from "../../envoy/string-matcher.ts";
import type { NodeMatcher } from "../../gen/envoy/type/matcher/v3/node_pb.ts";
import type { StringMatcher } from "../../gen/envoy/type/matcher/v3/string_pb.ts";
import type { StructMatcher } from "../../gen/envoy/type/matcher/v3/struct_pb.ts";
import type { ValueMatcher } from "../../gen/envoy/type/matcher/v3/value_pb.ts";

/** A node, as far as it can be matched. */
export interface MatchedNode {
  readonly id: string;
  readonly metadata: JsonObject;
}

/** Metadata of nodes that we keep; nothing can be said of other keys. */
export const keptMetadata: ReadonlySet<string> = new Set([
  "NAMESPACE",
  "LABELS",
  "SERVICE_ACCOUNT",
  "CLUSTER_ID",
  "NETWORK",
  "INSTANCE_IPS",
  "INTERCEPTION_MODE",
]);

const maxMatchers = 32;
const maxMetadatas = 16;
const maxPathLength = 8;
const maxAlternatives = 16;
/** In characters. */
const maxPatternLength = 1_024;

type Test<T> = (value: T) => boolean;

/** A test that a node passes when one of the matchers fits; without any, all do. Throws `input/invalid` for what cannot be carried out. */
export function compileNodeMatchers(matchers: readonly NodeMatcher[]): Test<MatchedNode> {
  if (matchers.length === 0) return () => true;
  bounded("node_matchers", matchers.length, maxMatchers);
  const tests = matchers.map(nodeTest);
  return (node) => tests.some((test) => test(node));
}

function nodeTest({ nodeId, nodeMetadatas }: NodeMatcher): Test<MatchedNode> {
  bounded("node_metadatas", nodeMetadatas.length, maxMetadatas);
  const idTest = nodeId === undefined ? () => true : textTest(nodeId);
  const metadataTests = nodeMetadatas.map(structTest);
  return ({ id, metadata }) => idTest(id) && metadataTests.every((test) => test(metadata));
}

function structTest({ path, value }: StructMatcher): Test<JsonObject> {
  bounded("path", path.length, maxPathLength);
  const keys = path.map(({ segment }) => segment.value ?? "");
  const [first = ""] = keys;
  if (!keptMetadata.has(first)) {
    throw unsupported(`metadata ${JSON.stringify(first.slice(0, 200))}`, `Kept are ${[...keptMetadata].join(", ")}.`);
  }
  const test = valueTest(value, 0);
  return (metadata) => test(keys.reduce(valueAt, metadata));
}

const valueAt = (value: JsonValue | undefined, key: string): JsonValue | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key)
    ? value[key]
    : undefined;

function valueTest(matcher: ValueMatcher | undefined, depth: number): Test<JsonValue | undefined> {
  const pattern = matcher?.matchPattern;
  switch (pattern?.case) {
    case "stringMatch": {
      const test = textTest(pattern.value);
      return (value) => typeof value === "string" && test(value);
    }
    case "presentMatch": {
      const wanted = pattern.value;
      return (value) => (typeof value === "string") === wanted;
    }
    case "orMatch": {
      const { valueMatchers } = pattern.value;
      bounded("or_match", valueMatchers.length, maxAlternatives);
      if (depth > 0) throw unsupported("or_match in or_match", "One level is enough for every condition.");
      const tests = valueMatchers.map((one) => valueTest(one, depth + 1));
      return (value) => tests.some((test) => test(value));
    }
    default:
      throw unsupported(
        `a value matcher ${pattern?.case ?? "without a pattern"}`,
        "Metadata is text: use string_match, present_match or or_match.",
      );
  }
}

function textTest(matcher: StringMatcher): Test<string> {
  const { case: kind, value } = matcher.matchPattern;
  const pattern = kind === "safeRegex" ? value.regex : typeof value === "string" ? value : "";
  bounded("a pattern's characters", pattern.length, maxPatternLength);
  const test = compiled(matcher, pattern);
  if (test !== undefined) return (text) => test(asBytes(text));
  throw unsupported(
    `a string matcher ${kind ?? "without a pattern"}`,
    "Use exact, prefix, suffix, contains or safe_regex.",
  );
}

function compiled(matcher: StringMatcher, pattern: string): TextTest | undefined {
  try {
    return stringTest(matcher, "characters");
  } catch (cause) {
    throw new MeshError("input/invalid", `${JSON.stringify(pattern)} is no regular expression of RE2`, { cause });
  }
}

function bounded(what: string, found: number, most: number): void {
  if (found > most)
    throw new MeshError("input/invalid", `${what}: ${found} are too many; at most ${most} are accepted`);
}

const unsupported = (what: string, hint: string): MeshError =>
  new MeshError("input/invalid", `${what} cannot be matched`, { hint });
