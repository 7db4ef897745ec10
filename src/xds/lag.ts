import type { Clock } from "../base/clock.ts";

/** Passes each value on after the same time, in the order in which they came. */
export interface Lag<T> {
  readonly put: (value: T) => void;
  /** What is under way is lost. */
  readonly close: () => void;
}

export function createLag<T>(clock: Clock, lagMs: number, pass: (value: T) => void): Lag<T> {
  const queue: { readonly value: T; readonly atMs: number }[] = [];
  let stop: (() => void) | undefined;
  const next = (): void => {
    stop = undefined;
    const now = clock.monotonic();
    for (let [head] = queue; head !== undefined && head.atMs <= now; [head] = queue) {
      queue.shift();
      pass(head.value);
    }
    const [head] = queue;
    if (head !== undefined) stop = clock.after(head.atMs - now, next);
  };
  return {
    put(value) {
      queue.push({ value, atMs: clock.monotonic() + lagMs });
      stop ??= clock.after(lagMs, next);
    },
    close() {
      queue.length = 0;
      stop?.();
    },
  };
}
