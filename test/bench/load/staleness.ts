import { quantile } from "../statistics.ts";
import type { ChurnWatch } from "./churn.ts";
import type { Staleness } from "./commands.ts";

/** How long each event took to each stream, over all that could be watched. */
export function stalenessOf(
  churn: ChurnWatch,
  streams: number,
  sentAt: readonly number[],
  without: ReadonlySet<number>,
): Staleness {
  const watched = Array.from({ length: streams }, (_, index) => index).filter(
    (stream) => !without.has(stream) && !churn.isBlind(stream),
  );
  const found: number[] = [];
  let missing = 0;
  for (const stream of watched) {
    for (const [event, sent] of sentAt.entries()) {
      const at = churn.arrivedAt(stream, event);
      if (at === undefined) missing++;
      else found.push(at - sent);
    }
  }
  const ascending = Float64Array.from(found).sort();
  const at = (share: number): number => quantile(ascending, share);
  return { p50: at(0.5), p99: at(0.99), max: at(1), missing, watched: watched.length };
}
