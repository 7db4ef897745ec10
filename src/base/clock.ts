/** Time as an argument, so that what waits can be tested without waiting. */
export interface Clock {
  /** The time of day: milliseconds since the epoch. For what is shown and stored; it may be set forward and back. */
  readonly now: () => number;
  /** Milliseconds since some moment of the past. For how long something takes; it only goes forward, at the pace of `after`. */
  readonly monotonic: () => number;
  /** Calls `task` once after `delayMs`, however long; the returned function cancels it. The timer never keeps the process alive. */
  readonly after: (delayMs: number, task: () => void) => () => void;
}

/** A timer of the system that shall wait for longer than this does not wait at all. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, task) => {
    let timer: NodeJS.Timeout | undefined;
    const wait = (leftMs: number): void => {
      const nextMs = Math.min(leftMs, longestTimerMs);
      timer = setTimeout(() => (leftMs > nextMs ? wait(leftMs - nextMs) : task()), nextMs).unref();
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  },
};
