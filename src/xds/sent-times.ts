import type { Clock } from "../base/clock.ts";

/** When the responses of a stream were sent that are not answered yet. */
export interface SentTimes {
  readonly sent: (nonce: string) => void;
  /** Milliseconds since it was sent, which is asked for once; 0 where it was not, or is forgotten. */
  readonly since: (nonce: string) => number;
}

/** More than may be without an answer; answers that never come must not make it grow. */
const maxTimed = 100;

export function createSentTimes(clock: Clock): SentTimes {
  /** Oldest first. */
  const times = new Map<string, number>();
  return {
    sent(nonce) {
      times.set(nonce, clock.monotonic());
      const [oldest = nonce] = times.keys();
      if (times.size > maxTimed) times.delete(oldest);
    },
    since(nonce) {
      const now = clock.monotonic();
      const tookMs = now - (times.get(nonce) ?? now);
      times.delete(nonce);
      return tookMs;
    },
  };
}
