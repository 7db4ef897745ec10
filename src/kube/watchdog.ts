import type { Clock } from "../base/clock.ts";

/** Waits for silence. */
export interface Watchdog {
  /** Something was heard, and silence may last this long from now on. */
  readonly heard: (limitMs: number) => void;
  readonly close: () => void;
}

/** One timer however much is heard. */
export function createWatchdog(clock: Clock, firstLimitMs: number, onSilence: () => void): Watchdog {
  let deadline = clock.monotonic() + firstLimitMs;
  let timerAt = deadline;
  let cancel = clock.after(firstLimitMs, look);

  function look(): void {
    const leftMs = deadline - clock.monotonic();
    if (leftMs <= 0) onSilence();
    else wait(leftMs);
  }

  function wait(leftMs: number): void {
    timerAt = deadline;
    cancel = clock.after(leftMs, look);
  }

  return {
    heard(limitMs) {
      deadline = clock.monotonic() + limitMs;
      if (deadline >= timerAt) return;
      cancel();
      wait(limitMs);
    },
    close: () => cancel(),
  };
}
