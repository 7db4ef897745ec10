import { MeshError } from "../base/errors.ts";
import { Unsupported } from "./condition.ts";
import { explain } from "./explain.ts";
import type { Explanation } from "./explanation.ts";
import type { Configuration } from "./places.ts";
import type { Question } from "./question.ts";
import type { Semantics } from "./semantics.ts";

export type Answer =
  | { readonly kind: "told"; readonly explanation: Explanation }
  /** Nothing can be said; why: a sentence without its first capital and its full stop. */
  | { readonly kind: "unclear"; readonly message: string; readonly hint?: string };

/** The same as `explain`, with what it throws as an answer. */
export function answerTo(configuration: Configuration, question: Question, semantics: Semantics): Answer {
  try {
    return { kind: "told", explanation: explain(configuration, question, semantics) };
  } catch (error) {
    if (error instanceof Unsupported) return { kind: "unclear", message: `it cannot be said: ${error.message}` };
    if (!(error instanceof MeshError) || error.code !== "input/invalid") throw error;
    return { kind: "unclear", message: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
}
