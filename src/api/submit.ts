import type { DocumentFindings, PreparedChange, ProposedDelete, ProposedText } from "../config/change.ts";
import type { DocumentConflict, DocumentResult, RuleChange } from "../config/store.ts";
import { changeReason } from "./change-headers.ts";
import { findingDetails, isStillReferenced } from "./finding-details.ts";
import { conflictsOf, previewOf } from "./preview.ts";
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
  /** The documents came as data: their lines and columns are nobody's. */
  readonly asData?: boolean;
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
  const { puts, deletes, allowDangling, idempotencyKey } = submission;
  const prepared = ports.prepare({
    puts,
    deletes,
    allowDangling,
    by: caller.name,
    requestId,
    ...(reason.value !== undefined && { reason: reason.value }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
  if (!prepared.ok) return { kind: "refused", answer: refusalOf(prepared, submission) };
  const denied = denialOf(prepared.change, request);
  if (denied !== undefined) return { kind: "refused", answer: problem("api/forbidden", denied) };
  const { findings, change } = prepared;
  if (submission.dryRun) {
    const conflicts = conflictsOf(change, ports.store);
    if (conflicts.length > 0) return { kind: "conflict", conflicts };
    const { revision, results } = previewOf(change, ports.store, { atMs: request.clock.now(), by: caller.name });
    return { kind: "done", revision, results, findings };
  }
  const outcome = await ports.store.write(change);
  if (outcome.kind === "conflict") return outcome;
  logWrite(request, outcome.revision, outcome.results);
  return { ...outcome, kind: "done", findings };
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

function refusalOf({ refusal, findings }: Refused, { asData = false }: Submission): Answer {
  const details = findingDetails(findings, asData);
  const code = refusal === "dangling" && findings.some(isStillReferenced) ? "api/still-referenced" : refusals[refusal];
  const hint = refusal === "dangling" ? "With allowDangling=true it is taken all the same." : undefined;
  return problems(code, details, hint);
}

const maxLogged = 20;

function logWrite({ log, caller }: ApiRequest, revision: number, results: readonly DocumentResult[]): void {
  const changed = results.filter(({ action }) => action !== "unchanged");
  if (changed.length === 0) return;
  const rules = changed.slice(0, maxLogged).map(({ key, action }) => `${key} ${action}`);
  log.info({ by: caller.name, revision, changed: changed.length, rules }, "rules changed");
}
