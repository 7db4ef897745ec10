import type { Clock } from "./clock.ts";

/** A current value and those who want to hear of the next one. */
export interface Signal<T> {
  readonly value: T;
  /** Calls `listener` with each later value (not with the current one) until the returned function is called. */
  readonly subscribe: (listener: (value: T) => void) => () => void;
}

export interface SettableSignal<T> extends Signal<T> {
  /** Sets the value; the identical value is silent. */
  readonly set: (value: T) => void;
}

export function createSignal<T>(initial: T): SettableSignal<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(next);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export interface GatherOptions {
  readonly clock: Clock;
  /** The pause after a run. It doubles from run to run as long as triggers come in it, up to `maxPauseMs`. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
}

/**
 * Runs `task` for bursts of triggers: the first one after a pause runs it in the same turn of the event loop; those that come in
 * the pause are gathered until its end, however many. A pause is never shorter than the run before it, so that half of the time
 * is left for others.
 */
export function gather(
  task: () => void,
  { clock, minPauseMs, maxPauseMs }: GatherOptions,
): { trigger(): void; close(): void } {
  let pauseMs = minPauseMs;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | undefined;
  let running = false;
  let triggeredByItself = false;

  const run = (): void => {
    cancel = undefined;
    running = true;
    const beganAt = clock.monotonic();
    try {
      task();
    } finally {
      running = false;
      const endedAt = clock.monotonic();
      pausedUntil = endedAt + Math.max(pauseMs, endedAt - beganAt);
      if (triggeredByItself) trigger();
    }
  };

  const trigger = (): void => {
    triggeredByItself = running;
    if (running || cancel !== undefined) return;
    const leftMs = pausedUntil - clock.monotonic();
    pauseMs = leftMs > 0 ? Math.min(2 * pauseMs, maxPauseMs) : minPauseMs;
    if (leftMs > 0) cancel = clock.after(leftMs, run);
    else run();
  };

  return {
    trigger,
    close() {
      triggeredByItself = false;
      cancel?.();
      cancel = undefined;
    },
  };
}
