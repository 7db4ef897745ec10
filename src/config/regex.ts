import { RE2JS } from "re2js";
import { type Decoder, fail, mapped, show, text } from "../base/decode.ts";

/** Istio's bound; Envoy has none of its own. In characters. */
const maxLength = 1024;

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /\(\?<?[=!]/,
    "RE2 has no lookahead and no lookbehind. Write what must match, or use an earlier route for the exception.",
  ],
  [/\\[1-9]|\(\?P=/, "RE2 has no references to what a group matched."],
  [/\(\?>|[*+?}]\+/, "RE2 has no atomic groups and no possessive repetition; it needs none to be fast."],
];

/** `\\x{100}` and above. Envoy matches bytes, not characters, so its RE2 refuses them (seen on 1.36 and 1.40). */
const beyondBytes = /(?<!\\)(?:\\\\)*\\x\{0*[1-9a-f][0-9a-f]{2,}\}/i;

/** A regular expression in RE2's syntax, the one that Envoy runs. */
export const regex: Decoder<string> = mapped(text({ maxLength }), (pattern, site) => {
  try {
    RE2JS.compile(pattern);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/^error parsing regexp: /, "");
    const hint = hints.find(([cause]) => cause.test(pattern))?.[1] ?? "See https://github.com/google/re2/wiki/Syntax.";
    return fail(site, "invalid-regex", `${show(pattern)} is no regular expression of RE2: ${reason}.`, hint);
  }
  if (!beyondBytes.test(pattern)) return pattern;
  const message = `${show(pattern)} names a character beyond \\x{FF}, and Envoy matches bytes.`;
  return fail(site, "invalid-regex", message, "Write the character itself instead of its number.");
});
