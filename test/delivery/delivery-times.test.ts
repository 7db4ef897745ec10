import fc from "fast-check";
import { expect, test } from "vitest";
import { createDeliveryTimes, type Times } from "../../src/delivery/delivery-times.ts";
import type { Batch } from "../../src/delivery/history.ts";

const batch = (...names: readonly string[]): Batch => names.map((name) => ({ name, version: "1" }));
const always = () => true;

test("the latest batch that had a name gives its times", () => {
  const times = createDeliveryTimes(always);
  const [both, one, held] = [batch("a", "b"), batch("b"), batch("c")];
  times.accepted(held, 1);
  times.sent(both, 2);
  times.sent(one, 3);
  times.accepted(both, 4);
  expect(Object.fromEntries(times.byName())).toEqual({
    a: { sentMs: 2, acceptedMs: 4 },
    b: { sentMs: 3, acceptedMs: 4 },
    c: { acceptedMs: 1 },
  });
  times.accepted(one, 5);
  expect(times.byName().get("b")).toEqual({ sentMs: 3, acceptedMs: 5 });
});

test("one batch may be sent again", () => {
  const times = createDeliveryTimes(always);
  const [again, other] = [batch("a"), batch("a")];
  times.sent(again, 1);
  times.accepted(again, 2);
  times.sent(other, 3);
  times.sent(again, 4);
  times.accepted(again, 5);
  expect(times.byName().get("a")).toEqual({ sentMs: 4, acceptedMs: 5 });
});

test("a removal has no time", () => {
  const times = createDeliveryTimes(always);
  const removal = [{ name: "a" }];
  times.sent(removal, 1);
  times.accepted(removal, 2);
  expect(times.byName()).toEqual(new Map());
});

test("only so many batches are kept as there are names that are held, whatever is sent", () => {
  const name = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.record({ what: fc.constantFrom("sent" as const, "accepted" as const), names: fc.array(name) });
  const held = new Set(["a", "b", "c"]);
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 600 }), (steps) => {
      const times = createDeliveryTimes((one) => held.has(one));
      const model = new Map<string, Times>();
      for (const [atMs, { what, names }] of steps.entries()) {
        const list = batch(...names);
        times.sent(list, atMs + 1);
        if (what === "accepted") times.accepted(list, atMs + 1);
        for (const one of names) {
          if (!held.has(one)) continue;
          model.set(one, {
            ...model.get(one),
            sentMs: atMs + 1,
            ...(what === "accepted" && { acceptedMs: atMs + 1 }),
          });
        }
        expect(times.size()).toBeLessThanOrEqual(64);
      }
      const known = times.byName();
      for (const one of held) expect(known.get(one)).toEqual(model.get(one));
    }),
    { numRuns: 20 },
  );
});
