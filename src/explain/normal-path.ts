import { asBytes } from "../envoy/string-matcher.ts";
import type { Semantics } from "./semantics.ts";

/**
 * The path that browsers make of one: no dot segments, backslashes as slashes, what may not stand in a URL escaped, letters and digits
 * not. The query stays. undefined: there is none, as a NUL is escaped in it.
 */
export function normalPath(whole: string, semantics: Semantics): string | undefined {
  const [path, query] = atQuery(whole);
  const kept: string[] = [];
  const segments = withoutParameters(path, semantics).split(/[/\\]/).slice(1);
  for (const [index, segment] of segments.entries()) {
    const step = stepOf(segment);
    if (step === "up") kept.pop();
    if (step === "into") {
      if (/%00/.test(segment)) return undefined;
      kept.push(normalSegment(segment));
    } else if (index === segments.length - 1) kept.push("");
  }
  return `/${kept.join("/")}${query}`;
}

/** Both slashes; the query stays. */
export function withUnescapedSlashes(whole: string): string {
  const [path, query] = atQuery(whole);
  return path.replaceAll(/%2f/gi, "/").replaceAll(/%5c/gi, "\\") + query;
}

/** One slash for several; a path that ends with several keeps one of them. The query stays. */
export function withMergedSlashes(whole: string): string {
  const [path, query] = atQuery(whole);
  if (!path.includes("//")) return whole;
  const steps = path.split("/").filter((step) => step !== "");
  return `/${steps.join("/")}${path.endsWith("/") ? "/" : ""}${query}`;
}

function atQuery(whole: string): readonly [path: string, query: string] {
  const start = whole.indexOf("?");
  return start < 0 ? [whole, ""] : [whole.slice(0, start), whole.slice(start)];
}

type Step = "stay" | "up" | "into";

function stepOf(segment: string): Step {
  const dots = segment.replaceAll(/%2e/gi, ".");
  return dots === "." ? "stay" : dots === ".." ? "up" : "into";
}

/** Parameters make no name of dots: `..;a` is `..`, where they are known. Not those of escaped dots. */
const withoutParameters = (path: string, { dotsWithParameters }: Semantics): string =>
  dotsWithParameters ? path.replaceAll(/(?<=\/)(\.\.?);[^/]*/g, "$1") : path;

/** Of letters, digits and what else needs no escape. */
const needless = /^%(2d|2e|3[0-9]|[46][1-9a-f]|[57][0-9a]|5f|7e)$/i;
const plain = /^[!$%&'()*+,\-./0-9:;=@A-Z[\]_a-z~]$/;
const escapeForm = /^%[0-9a-f]{2}$/i;

function normalSegment(segment: string): string {
  const bytes = asBytes(segment);
  let normal = "";
  /** The last percent sign that begins no escape. */
  let loose = Number.POSITIVE_INFINITY;
  for (const { 0: token, index } of bytes.matchAll(/%[0-9a-f]{2}|./gis)) {
    if (token === "%") loose = normal.length;
    normal += normalToken(token);
    // What was an escape may not make a new one of what stands before it.
    const made = normal.slice(loose);
    const isMade =
      escapeForm.test(made) || (made.length === 2 && escapeForm.test(made + bytes.charAt(index + token.length)));
    if (needless.test(token) && isMade) normal = `${normal.slice(0, loose)}%25${normal.slice(loose + 1)}`;
  }
  return normal;
}

function normalToken(token: string): string {
  if (needless.test(token)) return String.fromCharCode(Number.parseInt(token.slice(1), 16));
  if (token.length > 1 || plain.test(token)) return token;
  return `%${token.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
