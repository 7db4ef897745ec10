import type { Clock } from "./clock.ts";

export interface RateLimitOptions {
  readonly clock: Clock;
  /** What each key may spend in the long run; parts of one are fine. */
  readonly perSecond: number;
  /** What a key that was quiet for long enough may spend at once. */
  readonly burst: number;
  /** Beyond this number of keys the one that asked longest ago is forgotten, as if it had been quiet. */
  readonly maxKeys: number;
}

export type RateVerdict =
  | { readonly ok: true }
  /** Nothing was spent; the same cost is affordable after this time. */
  | { readonly ok: false; readonly retryAfterMs: number };

export interface RateLimit {
  /** Spends `cost` (1 when not given; never more than the burst) for the key, if it can. */
  readonly take: (key: string, cost?: number) => RateVerdict;
}

interface Bucket {
  readonly left: number;
  readonly atMs: number;
}

/** A token bucket for each key. It needs no timer: a bucket is filled up when it is asked. */
export function createRateLimit({ clock, perSecond, burst, maxKeys }: RateLimitOptions): RateLimit {
  /** Asked longest ago first. */
  const buckets = new Map<string, Bucket>();
  const perMs = perSecond / 1_000;

  const leftNow = (bucket: Bucket | undefined, now: number): number =>
    // A clock that was set back gives nothing, and takes nothing away.
    bucket === undefined ? burst : Math.min(burst, bucket.left + Math.max(0, now - bucket.atMs) * perMs);

  return {
    take(key, cost = 1) {
      const now = clock.now();
      const left = leftNow(buckets.get(key), now);
      const price = Math.min(cost, burst);
      // What is short by a rounding error is there.
      const missing = price - left > 1e-9 ? price - left : 0;
      buckets.delete(key);
      buckets.set(key, { left: missing > 0 ? left : Math.max(0, left - price), atMs: now });
      if (buckets.size > maxKeys) forgetOldest(buckets);
      return missing > 0 ? { ok: false, retryAfterMs: Math.ceil(missing / perMs) } : { ok: true };
    },
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const key of buckets.keys()) {
    buckets.delete(key);
    return;
  }
}
