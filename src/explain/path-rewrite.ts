import { RE2JS } from "re2js";
import type { RegexRewrite, RouteMatch } from "../envoy/route-messages.ts";
import { asBytes, asCharacters, comparisonTest } from "../envoy/string-matcher.ts";
import { matchTemplateOf, type PathPolicy, rewriteTemplateOf } from "../envoy/uri-template-messages.ts";
import { Unsupported } from "./condition.ts";
import type { Facts } from "./request.ts";
import type { Semantics } from "./semantics.ts";
import { filledTemplate, templateMatch } from "./uri-template.ts";

/**
 * Replaces the part of the path that the route matched: of a pattern, all of it. The query stays. undefined where the path does not
 * begin with what was matched, as parameters were left out for that: then it stays too.
 */
export function withPrefix(
  { pathSpecifier: matched, caseSensitive = true }: RouteMatch,
  prefix: string,
  facts: Facts,
): string | undefined {
  const { path = "", barePath } = facts;
  const isPart = matched.case === "prefix" || matched.case === "pathSeparatedPrefix" || matched.case === "path";
  if (!isPart) return asBytes(prefix) + path.slice(barePath.length);
  const begins = comparisonTest("prefix", matched.value, !caseSensitive);
  return begins(path) ? asBytes(prefix) + path.slice(asBytes(matched.value).length) : undefined;
}

/** The path that a policy makes of the parts that the route's template matched. The query stays. Throws `Unsupported`. */
export function withPolicy(
  { pathSpecifier: matched }: RouteMatch,
  policy: PathPolicy,
  { path = "", barePath }: Facts,
  semantics: Semantics,
): string | undefined {
  const wanted = matched.case === "pathMatchPolicy" ? matchTemplateOf(matched.value) : undefined;
  const template = rewriteTemplateOf(policy);
  if (wanted === undefined || template === undefined) {
    throw new Unsupported("a path rewrite policy of its own kind", "/route/pathRewritePolicy");
  }
  const variables = templateMatch(wanted, semantics)(barePath);
  return variables && filledTemplate(template, variables) + path.slice(barePath.length);
}

/** Replaces each occurrence of the pattern in the path. The query stays. undefined where nothing would be left of the path: it stays. */
export function withPattern(
  rewrite: RegexRewrite,
  { path = "", barePath }: Facts,
  semantics: Semantics,
): string | undefined {
  const replaced = replaceAll(rewrite, barePath, semantics);
  return replaced === "" ? undefined : replaced + path.slice(barePath.length);
}

/** `\1` in the substitution is what the first group matched, `\0` the whole; `\\` is a backslash. */
export function replaceAll({ pattern, substitution }: RegexRewrite, text: string, { regexUnits }: Semantics): string {
  const inBytes = regexUnits === "bytes";
  const regex = RE2JS.compile(inBytes ? asBytes(pattern?.regex ?? "") : (pattern?.regex ?? ""));
  const wanted = inBytes ? asBytes(substitution) : substitution;
  const whole = inBytes ? text : asCharacters(text);
  const found = regex.matcher(whole);
  let [replaced, end] = ["", 0];
  let isFirst = true;
  while (found.find()) {
    // RE2 finds nothing of no length where the last find ended.
    if (!isFirst && found.end() === end) continue;
    replaced += whole.slice(end, found.start());
    replaced += wanted.replaceAll(/\\([0-9\\])/g, (_, one: string) =>
      one === "\\" ? one : (found.group(Number(one)) ?? ""),
    );
    end = found.end();
    isFirst = false;
  }
  const result = replaced + whole.slice(end);
  return inBytes ? result : asBytes(result);
}
