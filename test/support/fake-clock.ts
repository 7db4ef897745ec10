import type { Clock } from "../../src/base/clock.ts";

export interface FakeClock extends Clock {
  /** Lets time pass, running what falls due in its order. */
  readonly advance: (ms: number) => void;
  /** Lets time pass while the process stands still: what fell due meanwhile runs late, when time goes on. */
  readonly standStill: (ms: number) => void;
  /** Sets the time of day forward, or back. */
  readonly setForward: (ms: number) => void;
  /** How many timers wait. */
  readonly pending: () => number;
}

/** A clock that stands still until it is told to go on. */
export function createFakeClock(startMs = 1_000_000): FakeClock {
  let passed = 0;
  let midnight = startMs;
  const timers = new Set<{ readonly at: number; readonly task: () => void }>();
  return {
    now: () => midnight + passed,
    monotonic: () => passed,
    after: (delayMs, task) => {
      const timer = { at: passed + delayMs, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const until = passed + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        passed = Math.max(passed, next.at);
        next.task();
      }
      passed = until;
    },
    standStill: (ms) => {
      passed += ms;
    },
    setForward: (ms) => {
      midnight += ms;
    },
    pending: () => timers.size,
  };
}
