import type { ProblemDetailView, ProblemView } from "../api/types/server.ts";
import { choice, type Decoder, integer, list } from "../base/decode.ts";
import { object, optional, required } from "../base/decode-object.ts";
import { type ErrorCode, MeshError } from "../base/errors.ts";
import { anyText } from "./any-text.ts";
import { count, formatFindingList, type ShownFinding, type SourceTexts } from "./findings-text.ts";
import type { Style } from "./style.ts";

/** What a command reads of an error answer. */
export type ReadProblem = Pick<ProblemView, "detail" | "hint" | "errors"> & { readonly code?: string };

const open = { open: true };
const number = integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

const detail: Decoder<ProblemDetailView> = object(
  {
    parameter: optional(anyText),
    code: optional(anyText),
    severity: optional(choice({ error: "error", warning: "warning" } as const)),
    pointer: optional(anyText),
    message: required(anyText),
    hint: optional(anyText),
    rule: optional(anyText),
    document: optional(number),
    source: optional(object({ file: optional(anyText), line: required(number), column: required(number) }, open)),
  },
  open,
);

export const problemDecoder: Decoder<ReadProblem> = object(
  {
    detail: required(anyText),
    hint: optional(anyText),
    code: optional(anyText),
    errors: optional(list(detail, { max: 100_000 })),
  },
  open,
);

/** The server heard the request and says no. */
export class ServerRefusal extends MeshError {
  readonly status: number;
  readonly problem: ReadProblem;
  /** What was sent, by the names under which it was sent: for the lines that problems point at. */
  readonly texts: SourceTexts;

  constructor(status: number, problem: ReadProblem, texts: SourceTexts = new Map()) {
    const hint = [hintOf(problem), onlyProblem(problem)?.hint, status === 401 ? tokenHint : undefined].filter(
      (part) => part !== undefined,
    );
    super(exitCodeOf(status), messageOf(problem), hint.length === 0 ? {} : { hint: hint.join("\n  ") });
    this.status = status;
    this.problem = problem;
    this.texts = texts;
  }
}

/** Problems are listed with their places; a detail that says no more than they do is not said again. */
function messageOf(problem: ReadProblem): string {
  const { detail, errors = [] } = problem;
  if (errors.length === 0 || onlyProblem(problem) !== undefined) return detail;
  if (!errors.every(({ message }) => detail.includes(message))) return detail;
  const isChange = errors.every(({ document }) => document !== undefined);
  return count(errors.length, "problem") + (isChange ? "; nothing was stored" : "");
}

/** The one that has no place, and that the detail tells already. */
function onlyProblem({ detail, errors = [] }: ReadProblem): ProblemDetailView | undefined {
  const [only] = errors;
  const isTold = only?.document === undefined && only?.source === undefined && detail.includes(only?.message ?? "");
  return errors.length === 1 && isTold ? only : undefined;
}

const danglingHint = "With --allow-dangling it is taken all the same.";

/** Where the API names a parameter, the command line has a flag. */
const hints: ReadonlyMap<string | undefined, string> = new Map([
  ["api/dangling", danglingHint],
  ["api/still-referenced", danglingHint],
  [
    "api/precondition-required",
    "Say with --base-revision which revision you have seen; `fairway get KIND NAME -o json` shows it as metadata.revision.",
  ],
]);

const hintOf = ({ code, hint }: ReadProblem): string | undefined => hints.get(code) ?? hint;

const tokenHint =
  "`fairway token create NAME --role editor --data DIR` on the server's machine makes a token;\n" +
  "  give it with --token, FAIRWAY_TOKEN or `fairway context set`.";

/** The request was fine, and the answer is no. */
const answersNo: ReadonlySet<number> = new Set([404, 409, 410, 412, 413, 422, 507]);

function exitCodeOf(status: number): ErrorCode {
  if (answersNo.has(status)) return "input/invalid";
  return status >= 500 || status === 429 ? "server/unreachable" : "usage/invalid";
}

/** Every single problem with its place, in the layout of `check`; empty where the message says it all. */
export function formatRefusal({ problem, texts }: ServerRefusal, style: Style): string {
  const findings = onlyProblem(problem) === undefined ? (problem.errors ?? []).map(shown) : [];
  return findings.length === 0 ? "" : `${formatFindingList(findings, texts, style)}\n`;
}

/** A problem of one document of a change. */
function shown({ code, severity, pointer, message, hint, rule, parameter, source }: ProblemDetailView): ShownFinding {
  return {
    severity: severity ?? "error",
    code: code ?? "",
    pointer: pointer ?? "",
    message,
    ...(hint !== undefined && { hint }),
    ...(rule !== undefined ? { about: rule } : parameter !== undefined && { about: parameter }),
    ...(source?.file !== undefined && { file: source.file }),
    ...(source !== undefined && { line: source.line, column: source.column }),
  };
}
