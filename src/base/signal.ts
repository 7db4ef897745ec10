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
  /** After the end of a run, later triggers wait until this long has passed without another one. */
  readonly quietMs: number;
  /** No trigger waits longer than this. */
  readonly maxWaitMs: number;
}

/**
 * Runs `task` for bursts of triggers: the first one after a quiet time runs it in the same turn of the event loop; those
 * that follow are gathered until `quietMs` without another, but for `maxWaitMs` at the most.
 */
export function gather(
  task: () => void,
  { clock, quietMs, maxWaitMs }: GatherOptions,
): { trigger(): void; close(): void } {
  let lastRunAt = Number.NEGATIVE_INFINITY;
  let waitingSince: number | undefined;
  let cancel: (() => void) | undefined;

  const run = () => {
    cancel?.();
    cancel = undefined;
    waitingSince = undefined;
    lastRunAt = clock.monotonic();
    try {
      task();
    } finally {
      // Runs that take as long as the quiet time would follow each trigger at once otherwise.
      lastRunAt = clock.monotonic();
    }
  };

  return {
    trigger() {
      const now = clock.monotonic();
      if (cancel === undefined && now - lastRunAt >= quietMs) {
        run();
        return;
      }
      waitingSince ??= now;
      cancel?.();
      const left = Math.max(0, maxWaitMs - (now - waitingSince));
      cancel = clock.after(Math.min(quietMs, left), run);
    },
    close() {
      cancel?.();
      cancel = undefined;
    },
  };
}
