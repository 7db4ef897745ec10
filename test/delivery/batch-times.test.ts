import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBatchTimes, numberOf, type Times } from "../../src/delivery/batch-times.ts";
import type { Batch } from "../../src/delivery/history.ts";

const batches: readonly Batch[] = Array.from({ length: 30 }, () => []);
const what = fc.constantFrom("sentMs" as const, "acceptedMs" as const, "refusedMs" as const);
const never: Times = { sentMs: 0, acceptedMs: 0, refusedMs: 0 };

describe("the times of batches", () => {
  test("are those that were noted last, in whatever order, as long as they are wanted", () => {
    const note = fc.record({ do: fc.constant("note"), index: fc.nat(29), what, afterMs: fc.nat(100_000) });
    const keep = fc.record({ do: fc.constant("keep"), indices: fc.uniqueArray(fc.nat(29)) });
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: note }, keep), { maxLength: 200 }), (steps) => {
        const times = createBatchTimes();
        const model = new Map<number, Times>();
        // The clock of the day may be set back: nothing is told apart before the first time.
        let firstMs: number | undefined;
        for (const step of steps) {
          if ("indices" in step) {
            const wanted = new Set(step.indices.map((index) => numberOf(batches[index] ?? [])));
            times.keepOnly((number) => wanted.has(number));
            for (const index of model.keys()) if (!step.indices.includes(index)) model.delete(index);
          } else {
            const [batch = [], atMs] = [batches[step.index], 1_795_000_000_000 + step.afterMs];
            firstMs ??= atMs;
            times.note(batch, step.what, atMs);
            model.set(step.index, { ...(model.get(step.index) ?? never), [step.what]: Math.max(firstMs, atMs) });
          }
          expect(times.size()).toBe(model.size);
        }
        expect(batches.map((batch) => times.of(batch))).toEqual(batches.map((_, index) => model.get(index)));
      }),
    );
  });

  test("of a batch that nobody noted there are none", () => {
    const times = createBatchTimes();
    expect(times.of([])).toBeUndefined();
    times.note(batches[0] ?? [], "sentMs", 5);
    expect(times.of([])).toBeUndefined();
    expect(times.of(batches[1] ?? [])).toBeUndefined();
    expect(times.of(batches[0] ?? [])).toEqual({ ...never, sentMs: 5 });
  });

  test("49 days later they are as late as can be told", () => {
    const times = createBatchTimes();
    const [first = [], second = []] = batches;
    times.note(first, "sentMs", 1_000);
    times.note(second, "sentMs", 1_000 + 2 ** 33);
    expect(times.of(second)?.sentMs).toBe(1_000 + 2 ** 32 - 2);
    expect(times.of(first)?.sentMs).toBe(1_000);
  });
});
