import { contentHash } from "../base/digest.ts";
import type {
  DocumentFindings,
  PreparedChange,
  ProposedChange,
  ProposedDelete,
  ProposedText,
} from "../config/change.ts";
import type { ChangeOutcome, DocumentConflict, DocumentResult, Idempotency, RuleChange } from "../config/store.ts";
import { forbidden } from "./admission.ts";
import { changeReason } from "./change-headers.ts";
import { findingDetails, isStillReferenced } from "./finding-details.ts";
import type { BrokenTest } from "./ports.ts";
import type { ProblemCode } from "./problem.ts";
import { type Answer, type ApiRequest, problem, problems } from "./route.ts";

/** What a request wants to be changed. */
export interface Submission {
  readonly puts: readonly ProposedText[];
  readonly deletes: readonly ProposedDelete[];
  readonly allowDangling: boolean;
  /** Everything is checked, nothing is stored. */
  readonly dryRun: boolean;
  readonly idempotencyKey?: string;
}

export type Submitted =
  | {
      readonly kind: "done";
      /** The present one for a dry run. */
      readonly revision: number;
      readonly results: readonly DocumentResult[];
      /** Warnings. */
      readonly findings: readonly DocumentFindings[];
    }
  /** Something else is there than was expected. */
  | { readonly kind: "conflict"; readonly conflicts: readonly DocumentConflict[] }
  | { readonly kind: "refused"; readonly answer: Answer };

/** Checks a change and, unless it is a dry run, writes it: all of it or nothing. */
export async function submit(request: ApiRequest, submission: Submission): Promise<Submitted> {
  const { ports, caller, requestId } = request;
  const reason = changeReason(request);
  if (!reason.ok) return { kind: "refused", answer: reason.answer };
  const { puts, deletes, allowDangling, dryRun } = submission;
  const idempotency = dryRun ? undefined : idempotencyOf(submission);
  // Whoever sends it again hears what was answered, also when it could not be done now.
  const before = idempotency && (await ports.store.outcomeOf(caller.name, idempotency));
  if (before !== undefined) return submittedOf(before);
  const proposed: ProposedChange = {
    ...{ puts, deletes, allowDangling, by: caller.name, requestId },
    ...(reason.value !== undefined && { reason: reason.value }),
  };
  return ports.prepare(proposed, async (prepared): Promise<Submitted> => {
    if (!prepared.ok) return { kind: "refused", answer: refusalOf(prepared) };
    const { findings, change, rules } = prepared;
    const denied = denialOf(change, request);
    if (denied !== undefined) return { kind: "refused", answer: { kind: "problem", problem: forbidden(denied) } };
    const broken = ports.brokenTests?.(rules) ?? [];
    if (broken.length > 0) return { kind: "refused", answer: brokenAnswer(broken) };
    if (dryRun) {
      const outcome = await ports.store.preview(change);
      const revision = ports.store.revision();
      return submittedOf(outcome.kind === "written" ? { ...outcome, revision } : outcome, findings);
    }
    const noted = idempotency && { idempotency: { ...idempotency, note: JSON.stringify(findings) } };
    const outcome = await ports.store.write({ ...change, ...noted });
    if (outcome.kind === "written") logWrite(request, outcome.revision, outcome.results);
    return submittedOf(outcome, findings);
  });
}

/** An answer that was given before comes with its own findings. */
function submittedOf(outcome: ChangeOutcome, findings: readonly DocumentFindings[] = []): Submitted {
  if (outcome.kind === "conflict") return outcome;
  if (outcome.kind === "key-reused") return { kind: "refused", answer: keyReused };
  const { revision, results, note } = outcome;
  const noted = note === undefined ? findings : (JSON.parse(note) as readonly DocumentFindings[]);
  return { kind: "done", revision, results, findings: noted };
}

const keyReused = problem(
  "api/idempotency-key-reused",
  "This Idempotency-Key was sent with another change, and nothing was done now.",
  { hint: "Send a new key with each change, and the same one only to send the same change again." },
);

/** Of what is wanted, however it was sent and whatever its file is called. */
function idempotencyOf({ puts, deletes, allowDangling, idempotencyKey }: Submission): Idempotency | undefined {
  if (idempotencyKey === undefined) return undefined;
  const wanted = puts.map(({ source: _source, asData: _asData, ...put }) => put);
  return { key: idempotencyKey, digest: contentHash(JSON.stringify([wanted, deletes, allowDangling])) };
}

/** Each rule that the change touches may be somebody's. */
function denialOf(change: RuleChange, { ports, caller }: ApiRequest): string | undefined {
  const keys = [
    ...change.puts.map(({ kind, namespace }) => ({ kind, namespace })),
    ...change.deletes.map(({ key }) => {
      const [kind = "", namespace = ""] = key.split("/");
      return { kind, namespace };
    }),
  ];
  for (const place of keys) {
    const denied = ports.access.denialOf(caller, { verb: "write", ...place });
    if (denied !== undefined) return denied;
  }
  return undefined;
}

type Refused = Extract<PreparedChange, { readonly ok: false }>;

const refusals: Readonly<Record<Refused["refusal"], ProblemCode>> = {
  syntax: "api/invalid-syntax",
  invalid: "api/invalid",
  "managed-elsewhere": "api/managed-elsewhere",
  dangling: "api/dangling",
};

function refusalOf({ refusal, findings }: Refused): Answer {
  const details = findingDetails(findings);
  const code = refusal === "dangling" && findings.some(isStillReferenced) ? "api/still-referenced" : refusals[refusal];
  const hint = refusal === "dangling" ? "With allowDangling=true it is taken all the same." : undefined;
  return problems(code, details, hint);
}

const brokenAnswer = (broken: readonly BrokenTest[]): Answer =>
  problems(
    "api/breaks-route-tests",
    broken.map(({ name, message, source }) => ({
      message: `The route test ${JSON.stringify(name)}: ${message}`,
      source,
    })),
    "Change the tests first if it is meant so.",
  );

const maxLogged = 20;

function logWrite({ log, caller }: ApiRequest, revision: number, results: readonly DocumentResult[]): void {
  const changed = results.filter(({ action }) => action !== "unchanged");
  if (changed.length === 0) return;
  const rules = changed.slice(0, maxLogged).map(({ key, action }) => `${key} ${action}`);
  log.info({ by: caller.name, revision, changed: changed.length, rules }, "rules changed");
}
