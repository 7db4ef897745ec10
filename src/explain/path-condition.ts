import type { JsonPointer } from "../base/json-pointer.ts";
import type { RouteMatch } from "../envoy/route-messages.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import { matchTemplateOf, type PathPolicy } from "../envoy/uri-template-messages.ts";
import { type Condition, quoted, Unsupported } from "./condition.ts";
import type { Facts } from "./request.ts";
import type { Manner } from "./semantics.ts";
import { plainMatch, regexMatch, type TextMatch } from "./text-match.ts";
import { templateMatch } from "./uri-template.ts";

export function pathCondition(match: RouteMatch, pointer: JsonPointer, manner: Manner): Condition {
  const { pathSpecifier, caseSensitive = true } = match;
  const kind = pathSpecifier.case;
  if (kind === "connectMatcher") {
    return {
      pointer: `${pointer}/connectMatcher`,
      text: "the method is CONNECT",
      holds: ({ request }) => request.method === "CONNECT",
      found: ({ request }) => `it is ${request.method}`,
    };
  }
  const { holds, text } = pathMatch(pathSpecifier, !caseSensitive, pointer, manner);
  const pathOf = kind === "pathMatchPolicy" ? ({ barePath }: Facts) => barePath : matchedPath(manner);
  return {
    pointer: `${pointer}/${kind}`,
    text: `the path ${text}`,
    holds: (facts) => facts.path !== undefined && holds(pathOf(facts)),
    found: (facts) => (facts.path === undefined ? "there is none" : `it is ${quoted(asCharacters(pathOf(facts)))}`),
  };
}

function pathMatch(
  wanted: RouteMatch["pathSpecifier"],
  ignoreCase: boolean,
  pointer: JsonPointer,
  manner: Manner,
): TextMatch {
  switch (wanted.case) {
    case "prefix":
      return plainMatch("prefix", wanted.value, ignoreCase);
    case "path":
      return plainMatch("exact", wanted.value, ignoreCase);
    case "safeRegex":
      return regexMatch(wanted.value.regex, manner);
    case "pathSeparatedPrefix":
      return stepsMatch(wanted.value, ignoreCase);
    case "pathMatchPolicy":
      return fitting(wanted.value, `${pointer}/pathMatchPolicy`, manner);
    default:
      throw new Unsupported(`a path matcher ${wanted.case ?? "without a kind"}`, `${pointer}/${wanted.case ?? ""}`);
  }
}

/** The path itself, or what lies below it. */
function stepsMatch(prefix: string, ignoreCase: boolean): TextMatch {
  const { holds } = plainMatch("prefix", prefix, ignoreCase);
  return {
    text: `is ${quoted(prefix)}, or begins with ${quoted(`${prefix}/`)}${ignoreCase ? ", in any case" : ""}`,
    holds: (path) => holds(path) && (path.length === prefix.length || path[prefix.length] === "/"),
  };
}

/** In its own case always. */
function fitting(policy: PathPolicy, pointer: JsonPointer, manner: Manner): TextMatch {
  const template = matchTemplateOf(policy);
  if (template === undefined) throw new Unsupported("a path match policy of its own kind", pointer);
  const match = templateMatch(template, manner);
  return { text: `fits ${quoted(template)}`, holds: (path) => match(path) !== undefined };
}

/** The part of the path that matchers look at. Not those by template. */
function matchedPath({ ignoresParameters, parametersBySegment }: Manner): (facts: Facts) => string {
  if (!ignoresParameters) return ({ barePath }) => barePath;
  const parameters = parametersBySegment ? /;[^/]*/g : /;.*/gs;
  return ({ barePath }) => barePath.replaceAll(parameters, "");
}
