import { parseJson } from "./json-text.ts";
import { type Answer, type Body, failure, problems, type Result, success } from "./route.ts";

/** The data of a body; where it may be left out, `fallback` is it. */
export function jsonBody(body: Body | undefined, fallback?: unknown): Result<unknown> {
  if (body === undefined) {
    if (fallback !== undefined) return success(fallback);
    return failure("api/invalid-syntax", "There is no body.", { hint: "Send JSON." });
  }
  const parsed = parseJson(body.text);
  return parsed.ok ? success(parsed.value) : { ok: false, answer: syntaxProblem(parsed.problem) };
}

interface SyntaxFault {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export function syntaxProblem({ message, line, column }: SyntaxFault): Answer {
  const detail = { message: `Line ${line}, column ${column}: ${message}`, source: { line, column } };
  return problems("api/invalid-syntax", [detail]);
}
