import fc from "fast-check";
import { expect, test } from "vitest";
import { createRateLimit } from "../../src/base/rate-limit.ts";
import { createFakeClock } from "../support/fake-clock.ts";

test("a burst at once, then a steady rate", () => {
  const clock = createFakeClock();
  const limit = createRateLimit({ clock, perSecond: 0.5, burst: 3, maxKeys: 10 });
  const take = () => limit.take("a");
  expect([take(), take(), take()]).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  expect(take()).toEqual({ ok: false, retryAfterMs: 2_000 });
  clock.advance(1_500);
  expect(take()).toEqual({ ok: false, retryAfterMs: 500 });
  clock.advance(500);
  expect([take(), take()]).toEqual([{ ok: true }, { ok: false, retryAfterMs: 2_000 }]);
  clock.advance(3_600_000);
  expect([take(), take(), take(), take()].map(({ ok }) => ok)).toEqual([true, true, true, false]);
});

test("keys have nothing to do with each other", () => {
  const limit = createRateLimit({ clock: createFakeClock(), perSecond: 1, burst: 1, maxKeys: 10 });
  expect(limit.take("a").ok).toBe(true);
  expect(limit.take("b").ok).toBe(true);
  expect(limit.take("a").ok).toBe(false);
});

test("a cost above the burst counts as the burst", () => {
  const clock = createFakeClock();
  const limit = createRateLimit({ clock, perSecond: 1, burst: 5, maxKeys: 10 });
  expect(limit.take("a", 100)).toEqual({ ok: true });
  expect(limit.take("a", 100)).toEqual({ ok: false, retryAfterMs: 5_000 });
  clock.advance(2_000);
  expect(limit.take("a", 2)).toEqual({ ok: true });
});

test("the key that asked longest ago is forgotten first", () => {
  const limit = createRateLimit({ clock: createFakeClock(), perSecond: 1, burst: 1, maxKeys: 2 });
  for (const key of ["a", "b", "a", "c"]) limit.take(key);
  expect(limit.take("a").ok).toBe(false);
  expect(limit.take("b").ok).toBe(true);
});

test("a clock that goes back gives nothing away and takes nothing", () => {
  let now = 10_000;
  const clock = { ...createFakeClock(), now: () => now };
  const limit = createRateLimit({ clock, perSecond: 1, burst: 1, maxKeys: 2 });
  limit.take("a");
  now = 0;
  expect(limit.take("a")).toEqual({ ok: false, retryAfterMs: 1_000 });
  now = 1_000;
  expect(limit.take("a")).toEqual({ ok: true });
});

test("whatever the requests, no more is spent than burst and rate allow; who waits as told is let in", () => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(3_000), cost: fc.integer({ min: 1, max: 4 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(
      steps,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 4, max: 12 }),
      (requests, perSecond, burst) => {
        const clock = createFakeClock(0);
        const limit = createRateLimit({ clock, perSecond, burst, maxKeys: 1 });
        let spent = 0;
        for (const { waitMs, cost } of requests) {
          clock.advance(waitMs);
          const first = limit.take("a", cost);
          if (!first.ok) {
            clock.advance(first.retryAfterMs);
            expect(limit.take("a", cost)).toEqual({ ok: true });
          }
          spent += cost;
          expect(spent).toBeLessThanOrEqual(burst + (clock.now() / 1_000) * perSecond + 1e-6);
        }
      },
    ),
  );
});
