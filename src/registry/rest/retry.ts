import type { Clock } from "../../base/clock.ts";

/** Tries again, later and later. */
export interface Retry {
  /** Plans the next try; nothing when one is planned already. */
  readonly plan: () => void;
  /** It works again: no try is planned, and the next one would come soon. */
  readonly reset: () => void;
}

export interface RetryOptions {
  readonly clock: Clock;
  /** Until the first try; each later one waits twice as long, at most 30 times this. */
  readonly firstMs: number;
  readonly task: () => void;
}

export function createRetry({ clock, firstMs, task }: RetryOptions): Retry {
  let delayMs = firstMs;
  let cancel: (() => void) | undefined;
  return {
    plan() {
      cancel ??= clock.after(delayMs, () => {
        cancel = undefined;
        delayMs = Math.min(2 * delayMs, 30 * firstMs);
        task();
      });
    },
    reset() {
      cancel?.();
      cancel = undefined;
      delayMs = firstMs;
    },
  };
}
