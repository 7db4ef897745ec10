import type { Clock } from "../base/clock.ts";

/** How fast the requests of one stream are read. */
export interface RequestRate {
  /** Counts a request of this many bytes. The result is how long to wait before it is looked at, in ms; 0 for at once. */
  readonly take: (bytes: number) => number;
  /** A response went out: its answer costs nothing. */
  readonly earn: () => void;
}

export interface RequestRateOptions {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
}

/** A request costs as much as this many bytes; a longer one costs more, because reading it does. */
const bytesPerToken = 16 * 1024;

/** A token bucket that may run into debt: the wait is the time that pays it back. */
export function createRequestRate({ clock, perSecond, burst }: RequestRateOptions): RequestRate {
  let tokens = burst;
  let at = clock.monotonic();

  return {
    take(bytes) {
      const now = clock.monotonic();
      const cost = Math.min(burst, 1 + Math.floor(bytes / bytesPerToken));
      tokens = Math.min(burst, tokens + ((now - at) * perSecond) / 1_000) - cost;
      at = now;
      return tokens >= 0 ? 0 : Math.ceil((-tokens * 1_000) / perSecond);
    },
    earn() {
      tokens = Math.min(burst, tokens + 1);
    },
  };
}
