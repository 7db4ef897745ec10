import type { Clock } from "../../src/base/clock.ts";

export interface FakeClock extends Clock {
  /** Lets time pass, running what falls due in its order. */
  readonly advance: (ms: number) => void;
  /** How many timers wait. */
  readonly pending: () => number;
}

/** A clock that stands still until it is told to go on. */
export function createFakeClock(startMs = 1_000_000): FakeClock {
  let now = startMs;
  const timers = new Set<{ readonly at: number; readonly task: () => void }>();
  return {
    now: () => now,
    after: (delayMs, task) => {
      const timer = { at: now + delayMs, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const until = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.task();
      }
      now = until;
    },
    pending: () => timers.size,
  };
}
