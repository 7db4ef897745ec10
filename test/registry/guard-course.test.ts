import fc from "fast-check";
import { expect, test } from "vitest";
import { movedTo, peakOf, steady } from "../../src/registry/guard/course.ts";

const windowMs = 3_200;

test("the peak is that of the window, but for steps of a thirty-second of it; little is remembered", () => {
  const step = fc.record({ afterMs: fc.integer({ min: 0, max: 500 }), value: fc.integer({ min: 0, max: 50 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let course = steady(20);
      let nowMs = 0;
      const past = [{ value: 20, endedMs: Number.POSITIVE_INFINITY }];
      /** The highest value that did not end before. */
      const peakSince = (sinceMs: number) =>
        Math.max(...past.filter(({ endedMs }) => endedMs > sinceMs).map(({ value }) => value));
      for (const { afterMs, value } of steps) {
        nowMs += afterMs;
        course = movedTo(course, value, nowMs, windowMs);
        const last = past.pop();
        if (last !== undefined) past.push({ ...last, endedMs: nowMs });
        past.push({ value, endedMs: Number.POSITIVE_INFINITY });
        const peak = peakOf(course, nowMs - windowMs);
        expect(peak).toBeGreaterThanOrEqual(peakSince(nowMs - windowMs));
        expect(peak).toBeLessThanOrEqual(peakSince(nowMs - windowMs - windowMs / 32));
        expect(course.past.length).toBeLessThanOrEqual(33);
      }
    }),
  );
});
