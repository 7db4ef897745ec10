import type { Clock } from "../base/clock.ts";
import type { XdsMetrics } from "./metrics.ts";
import type { XdsOptions } from "./options.ts";

type AdmissionOptions = Pick<
  XdsOptions,
  "maxBytesInFlight" | "admissionsPerTurn" | "maxWaitingStreams" | "admissionTimeoutMs"
>;

/** What counts when a new stream asks to be let in. */
export interface AdmissionLoad {
  readonly waiting: number;
  readonly letInThisTurn: number;
  readonly bytesInFlight: number;
}

/** Nobody overtakes those who wait. */
export const admissionOf = (load: AdmissionLoad, options: AdmissionOptions): "enter" | "wait" | "refuse" =>
  load.waiting === 0 && mayEnter(load, options)
    ? "enter"
    : load.waiting < options.maxWaitingStreams
      ? "wait"
      : "refuse";

const mayEnter = (load: Omit<AdmissionLoad, "waiting">, options: AdmissionOptions): boolean =>
  load.letInThisTurn < options.admissionsPerTurn && load.bytesInFlight < options.maxBytesInFlight;

export interface Newcomer {
  readonly letIn: () => void;
  /** It is not let in, and hears so before it gets any response. */
  readonly refuse: (status: "RESOURCE_EXHAUSTED" | "UNAVAILABLE", reason: string) => void;
}

/** Lets new streams in at the pace at which their answers leave, so that a storm starves nobody who is in already. */
export interface Admission {
  /** Calls one of the newcomer's functions once, now or later; the returned function takes it out of the queue. */
  readonly ask: (newcomer: Newcomer) => () => void;
  /** Bytes have left: there may be room for more. */
  readonly freed: () => void;
  /** Forgets who waits. */
  readonly close: () => void;
}

export interface AdmissionPorts {
  readonly clock: Clock;
  readonly metrics: XdsMetrics;
  readonly options: AdmissionOptions;
  /** Of all connections. */
  readonly bytesInFlight: () => number;
}

export function createAdmission({ clock, metrics, options, bytesInFlight }: AdmissionPorts): Admission {
  /** In the order in which they came, each with what stops its time limit. Who was let in, or bytes that leave, call the next turn. */
  const queue = new Map<Newcomer, () => void>();
  let letInThisTurn = 0;
  let nextTurn: (() => void) | undefined;

  const leave = (newcomer: Newcomer): boolean => {
    const stopTimer = queue.get(newcomer);
    if (stopTimer === undefined) return false;
    stopTimer();
    queue.delete(newcomer);
    metrics.waiting(queue.size);
    return true;
  };

  const turn = (): void => {
    nextTurn = undefined;
    letInThisTurn = 0;
    for (const newcomer of queue.keys()) {
      if (!mayEnter({ letInThisTurn, bytesInFlight: bytesInFlight() }, options)) break;
      leave(newcomer);
      enter(newcomer);
    }
  };

  const awaitTurn = (): void => {
    nextTurn ??= clock.after(0, turn);
  };

  const enter = (newcomer: Newcomer): void => {
    letInThisTurn++;
    awaitTurn();
    newcomer.letIn();
  };

  const tooLate = (newcomer: Newcomer): void => {
    if (!leave(newcomer)) return;
    metrics.turnedAway("waited-too-long");
    newcomer.refuse("UNAVAILABLE", `the control plane was too busy for ${options.admissionTimeoutMs} ms; try again`);
  };

  return {
    ask(newcomer) {
      const verdict = admissionOf({ waiting: queue.size, letInThisTurn, bytesInFlight: bytesInFlight() }, options);
      if (verdict === "enter") enter(newcomer);
      else if (verdict === "wait") {
        queue.set(
          newcomer,
          clock.after(options.admissionTimeoutMs, () => tooLate(newcomer)),
        );
        metrics.waiting(queue.size);
      } else {
        metrics.turnedAway("queue-full");
        newcomer.refuse("RESOURCE_EXHAUSTED", `${queue.size} new streams wait already; try again later`);
      }
      return () => leave(newcomer);
    },
    freed() {
      if (queue.size > 0 && bytesInFlight() < options.maxBytesInFlight) awaitTurn();
    },
    close() {
      nextTurn?.();
      for (const newcomer of [...queue.keys()]) leave(newcomer);
    },
  };
}
