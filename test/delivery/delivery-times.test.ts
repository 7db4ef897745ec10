import fc from "fast-check";
import { expect, test } from "vitest";
import { createDeliveryTimes, type DeliveryTimes, type Times } from "../../src/delivery/delivery-times.ts";

const always = { has: () => true, count: () => 2 };
const look = (times: DeliveryTimes, ...names: readonly string[]): readonly Times[] => names.map(times.lookUp());

test("the latest response that had a name gives its times", () => {
  const times = createDeliveryTimes(always);
  const [both, one] = [["a", "b"], ["b"]];
  times.sent(both, 2);
  times.sent(one, 3);
  times.accepted(both, 4);
  expect(look(times, "a", "b")).toEqual([
    { sentMs: 2, acceptedMs: 4 },
    { sentMs: 3, acceptedMs: 4 },
  ]);
  times.accepted(one, 5);
  expect(look(times, "b")).toEqual([{ sentMs: 3, acceptedMs: 5 }]);
});

test("what a stream holds from before was never sent on it, until it is", () => {
  const times = createDeliveryTimes(always);
  const [one] = [["b"]];
  times.resumed(1);
  times.sent(one, 2);
  times.accepted(one, 3);
  expect(look(times, "a", "b")).toEqual([{ acceptedMs: 1 }, { sentMs: 2, acceptedMs: 3 }]);
});

test("one list may be sent again", () => {
  const times = createDeliveryTimes(always);
  const [again, other] = [["a"], ["a"]];
  times.sent(other, 1);
  times.sent(again, 2);
  times.accepted(again, 3);
  times.sent(other, 4);
  times.sent(again, 5);
  times.accepted(again, 6);
  expect(look(times, "a")).toEqual([{ sentMs: 5, acceptedMs: 6 }]);
});

test("an answer to what is kept no longer counts all the same", () => {
  const times = createDeliveryTimes(always);
  const lost = ["a"];
  for (let atMs = 1; atMs <= 200; atMs++) times.sent(atMs === 2 ? lost : ["a"], atMs);
  times.accepted(lost, 201);
  expect(look(times, "a")).toEqual([{ sentMs: 200, acceptedMs: 201 }]);
});

test("only so many responses are kept as there are names that are held, whatever is sent", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.record({ isAccepted: fc.boolean(), names: fc.array(name) });
  const held = new Set(["a", "b", "c"]);
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 600 }), fc.boolean(), (steps, isResumed) => {
      const times = createDeliveryTimes({ has: (one) => held.has(one), count: () => held.size });
      // All that is held came with the first response, or was there before.
      const start: Times = isResumed ? { acceptedMs: 1 } : { sentMs: 1, acceptedMs: 1 };
      const all = [...held];
      if (isResumed) times.resumed(1);
      else times.sent(all, 1);
      times.accepted(all, 1);
      const model = new Map<string, Times>(all.map((one) => [one, start]));
      for (const [index, { isAccepted, names }] of steps.entries()) {
        const atMs = index + 2;
        times.sent(names, atMs);
        if (isAccepted) times.accepted(names, atMs);
        for (const one of names) {
          if (held.has(one))
            model.set(one, { ...model.get(one), sentMs: atMs, ...(isAccepted && { acceptedMs: atMs }) });
        }
        expect(times.size()).toBeLessThanOrEqual(2 * 64);
      }
      expect(look(times, ...all)).toEqual(all.map((one) => model.get(one)));
    }),
    { numRuns: 20 },
  );
});
