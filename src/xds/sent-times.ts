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
  /** Oldest first; mostly one or two, of which a list is the quickest to look through. */
  const times: { readonly nonce: string; readonly atMs: number }[] = [];
  return {
    sent(nonce) {
      times.push({ nonce, atMs: clock.monotonic() });
      if (times.length > maxTimed) times.shift();
    },
    since(nonce) {
      const index = times.findIndex((time) => time.nonce === nonce);
      const [time] = index < 0 ? [] : times.splice(index, 1);
      return time === undefined ? 0 : clock.monotonic() - time.atMs;
    },
  };
}
