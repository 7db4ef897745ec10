import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import type { FailureKind, KubeFailure } from "./failure.ts";
import type { ReflectorState } from "./reflector.ts";

/** Makes one state of many small mishaps: what the next attempt cures is none. */
export interface StateKeeper {
  readonly signal: Signal<ReflectorState>;
  /** A list is complete, or the watch lives. */
  readonly heard: () => void;
  readonly failed: (failure: KubeFailure) => void;
  /** The server does not know the kind. */
  readonly absent: (failure: KubeFailure) => void;
}

/** Nobody answers, or not to us. */
const lostAtOnce: ReadonlySet<FailureKind> = new Set(["unreachable", "unauthorized", "forbidden", "absent"]);
/** So many others in a row. */
const lostAfter = 2;

export function createReflectorState(clock: Clock, log: Log): StateKeeper {
  const signal = createSignal<ReflectorState>({ kind: "starting", sinceMs: clock.now() });
  let inARow = 0;

  const set = (kind: ReflectorState["kind"], failure?: KubeFailure): void => {
    const before = signal.value;
    const isNew = before.kind !== kind;
    const problem = failure && { message: failure.message, hint: failure.hint ?? "" };
    if (!isNew && before.problem?.message === problem?.message) return;
    if (isNew && kind === "live" && before.kind !== "starting") log.info("the API server is heard again");
    if (problem !== undefined && (isNew || before.problem === undefined))
      log.warn({ state: kind, ...problem }, words[kind]);
    signal.set({ kind, sinceMs: isNew ? clock.now() : before.sinceMs, ...(problem && { problem }) });
  };

  return {
    signal,
    heard() {
      inARow = 0;
      set("live");
    },
    failed(failure) {
      inARow += 1;
      if (signal.value.kind === "starting") set("starting", failure);
      else if (lostAtOnce.has(failure.kind) || inARow >= lostAfter || signal.value.kind !== "live")
        set("lost", failure);
    },
    absent(failure) {
      inARow = 0;
      set("absent", failure);
    },
  };
}

const words: Readonly<Record<ReflectorState["kind"], string>> = {
  starting: "cannot read the objects yet",
  live: "the API server is heard",
  lost: "the API server is not heard, the last objects stay in use",
  absent: "the API server does not know the kind",
};
