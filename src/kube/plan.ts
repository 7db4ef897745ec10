import type { FailureKind, KubeFailure } from "./failure.ts";
import type { ReflectorTimes } from "./times.ts";

/** What a reflector does next. */
export type Step =
  /** A watch that begins with a complete list. */
  | { readonly kind: "stream" }
  /** Version `0`: any that the server has at hand; empty: the newest; else one that is not older. */
  | { readonly kind: "list"; readonly resourceVersion: string }
  | { readonly kind: "watch"; readonly resourceVersion: string };

export interface Plan {
  readonly step: Step;
  /** Before the step. */
  readonly waitMs: number;
  /** Why the step before did not go on. */
  readonly reason: RestartReason;
  /** The version up to which all is known; undefined before the first complete list. */
  readonly version: string | undefined;
  /** The server has not said that it streams no lists. */
  readonly streams: boolean;
  /** In a row, and when (monotonic) and by what the last one was. */
  readonly failures: number;
  readonly failedAtMs: number;
  readonly failedBy: RestartReason | undefined;
}

/** `start`; `listed`: a list is followed by a watch; `ended`: the server ended a watch in order; `short`: at once. */
export type RestartReason = "start" | "listed" | "ended" | "short" | FailureKind;

/** What became of a step. */
export interface Outcome {
  /** The version up to which all is known now; undefined: no list is complete in this step. */
  readonly version: string | undefined;
  /** The server has begun to answer. */
  readonly opened: boolean;
  /** It has said something new. */
  readonly progressed: boolean;
  readonly lastedMs: number;
  /** undefined: it ended in order. */
  readonly failure?: KubeFailure;
}

export interface Moment {
  /** Monotonic. */
  readonly nowMs: number;
  /** From 0 to 1. */
  readonly random: number;
  readonly times: ReflectorTimes;
}

export const firstPlan: Plan = {
  step: { kind: "stream" },
  waitMs: 0,
  reason: "start",
  version: undefined,
  streams: true,
  failures: 0,
  failedAtMs: Number.NEGATIVE_INFINITY,
  failedBy: undefined,
};

/** Pure: all that decides is in the arguments. */
export function nextPlan(plan: Plan, outcome: Outcome, moment: Moment): Plan {
  const reason = reasonOf(plan.step, outcome, moment.times);
  // Of a step that listed nothing the old version still holds.
  const version = outcome.version ?? plan.version;
  if (reason === "listed" || reason === "ended") {
    return { ...plan, step: goOn(version), waitMs: 0, reason, version };
  }
  if (reason === "invalid" && plan.step.kind === "stream" && outcome.version === undefined) {
    // It knows no streamed lists, which is said once, and no failure.
    return { ...plan, step: { kind: "list", resourceVersion: version ?? "0" }, waitMs: 0, reason, streams: false };
  }
  const failed = { ...plan, reason, version };
  const isDeaf = reason === "silent" && plan.reason === "silent" && !outcome.progressed;
  return { ...failed, step: stepAfter(failed, outcome, isDeaf), ...pauseAfter(failed, outcome, moment) };
}

function reasonOf(
  step: Step,
  { failure, version, progressed, lastedMs }: Outcome,
  times: ReflectorTimes,
): RestartReason {
  if (failure !== undefined) return failure.kind;
  // A stream that ended before its list was complete.
  if (version === undefined) return "cut";
  if (step.kind === "list") return "listed";
  return progressed || lastedMs >= times.shortWatchMs ? "ended" : "short";
}

const goOn = (version: string | undefined): Step => ({ kind: "watch", resourceVersion: version ?? "" });

/** What is known cannot be gone on from. */
const needsNewest: ReadonlySet<RestartReason> = new Set(["gone", "too-new", "absent"]);
/** Neither can the watch, which would only say it again. */
const endsWatch: ReadonlySet<RestartReason> = new Set([...needsNewest, "broken", "invalid"]);
/** A plain list would fare no better than a streamed one. */
const failsAnyList: ReadonlySet<RestartReason> = new Set([
  ...["unreachable", "unauthorized", "forbidden", "absent", "throttled"],
] as const satisfies readonly RestartReason[]);

/** `isDeaf`: a watch that went on where the last one fell silent has heard nothing at all, as it is with a version that is not there yet. */
function stepAfter({ step, reason, version, streams }: Plan, outcome: Outcome, isDeaf: boolean): Step {
  const isFollowing = step.kind === "watch" || (step.kind === "stream" && outcome.version !== undefined);
  const newest: Step = streams ? { kind: "stream" } : { kind: "list", resourceVersion: "" };
  if (isFollowing) return endsWatch.has(reason) || isDeaf ? newest : goOn(version);
  if (step.kind === "stream" && !outcome.opened && failsAnyList.has(reason)) return step;
  // Any version may be one from before what is known.
  if (needsNewest.has(reason)) return { kind: "list", resourceVersion: "" };
  return step.kind === "list" ? step : { kind: "list", resourceVersion: version ?? "0" };
}

/** What is often cured by the next step, which therefore follows at once, unless the last failure was of this sort as well. */
const freeOnce: ReadonlySet<RestartReason> = new Set(["gone", "too-new", "silent"]);

function pauseAfter(
  { reason, failures: before, failedAtMs, failedBy }: Plan,
  { failure }: Outcome,
  { nowMs, random, times }: Moment,
): Pick<Plan, "waitMs" | "failures" | "failedAtMs" | "failedBy"> {
  const isHealthy = nowMs - failedAtMs >= times.healthyMs;
  const failures = isHealthy ? 0 : before;
  const isFree = freeOnce.has(reason) && (isHealthy || failedBy === undefined || !freeOnce.has(failedBy));
  const doubled = Math.min(times.maxPauseMs, times.minPauseMs * 2 ** Math.min(failures, 30));
  const asked = failure?.retryAfterMs;
  // Everybody who was turned away at once shall not come back at once.
  const waitMs =
    asked !== undefined
      ? asked + random * times.minPauseMs
      : isFree
        ? 0
        : (reason === "absent" ? times.absentPauseMs : doubled) * (1 + random);
  return { waitMs, failures: failures + 1, failedAtMs: nowMs + waitMs, failedBy: reason };
}
