import type { Clock } from "../base/clock.ts";

/** Those for whom there is something to do, a few at a time: between turns the process hears and answers others. */
export interface Turns<T extends object> {
  /** Each is served once, however often it is asked for before its turn. Who comes while nobody waits is served now. */
  readonly ask: (ones: Iterable<T>) => void;
  readonly leave: (one: T) => void;
  /** Who waits is not served any more. */
  readonly close: () => void;
}

export function createTurns<T extends object>(clock: Clock, perTurn: number, serve: (one: T) => void): Turns<T> {
  const waiting = new Set<T>();
  let stop: (() => void) | undefined;

  const turn = (): void => {
    stop = undefined;
    let left = perTurn;
    for (const one of waiting) {
      if (left-- === 0) {
        stop = clock.after(0, turn);
        return;
      }
      waiting.delete(one);
      serve(one);
    }
  };

  return {
    ask(ones) {
      for (const one of ones) waiting.add(one);
      if (stop === undefined) turn();
    },
    leave: (one) => void waiting.delete(one),
    close() {
      waiting.clear();
      stop?.();
    },
  };
}
