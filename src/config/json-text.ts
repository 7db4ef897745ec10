import type { TextProblem } from "../base/yaml-document.ts";

/** Data as JSON for people: two spaces, and a line's end at the end. */
export const jsonText = (data: unknown): string => `${JSON.stringify(data, null, 2)}\n`;

/** Why a text is no JSON, though it may be YAML; undefined: it is. */
export function jsonProblem(text: string): TextProblem | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const words = error instanceof Error ? error.message : "";
    const offset = Number(/at position (\d+)/.exec(words)?.[1] ?? text.length);
    const before = text.slice(0, offset).split("\n");
    return {
      kind: "syntax",
      pointer: "",
      message: `The JSON is broken: ${reasonIn(words)}.`,
      hint: "Look here and before it for a missing quote, comma or bracket; or send it as YAML.",
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    };
  }
}

/** The parser's words without the place, which is told apart, and without a quotation of the text. */
function reasonIn(words: string): string {
  const [reason = ""] = words.split(/ in JSON| at position|, (?=")|, \.\.\./);
  return reason === "" ? "it cannot be read" : `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}
