import { type Decoder, fail, mapped, type Site, show, text } from "../../base/decode.ts";
import { labelGrammar } from "../../model/grammars.ts";

/** Says in which namespaces a service is seen. */
export const exportToAnnotation = "networking.istio.io/exportTo";

/**
 * A list with commas of namespaces, `.` (that of the service), `*` (all) and `~` (none): the namespaces in their order, each once;
 * `everywhere` where that is all. What is none of these is told and adds nothing, so that a mistake never shows a service to more.
 */
export const exportTo = (namespace: string): Decoder<readonly string[] | "everywhere"> =>
  mapped(text({ minLength: 0, maxLength: 16_384 }), (value, site) => {
    const words = value.split(",").map((word) => word.trim());
    if (value.trim() === "" || words.includes("*")) return "everywhere";
    const named = words.filter((word) => word !== "~").map((word) => (word === "." ? namespace : word));
    return [...new Set(named.filter((word) => isNamespace(word, site)))].sort();
  });

function isNamespace(word: string, site: Site): boolean {
  if (labelGrammar.test(word)) return true;
  const hint = "Write namespaces, `.`, `*` or `~`, with commas between them.";
  fail(site, "invalid-value", `Expected a namespace, found ${show(word)}.`, hint);
  return false;
}
