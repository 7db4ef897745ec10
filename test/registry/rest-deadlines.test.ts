import fc from "fast-check";
import { expect, test } from "vitest";
import { createDeadlines } from "../../src/registry/rest/deadlines.ts";
import { createFakeClock } from "../support/fake-clock.ts";

interface Item {
  readonly name: number;
  at: number;
}

test("every item falls due at its deadline, in order, with one timer at the most", () => {
  const step = fc.record({
    name: fc.integer({ min: 0, max: 9 }),
    kind: fc.constantFrom("watch", "later", "forget", "never"),
    ms: fc.integer({ min: 0, max: 50 }),
    pass: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const clock = createFakeClock(0);
      const items = Array.from({ length: 10 }, (_, name): Item => ({ name, at: Number.POSITIVE_INFINITY }));
      const watched = new Set<Item>();
      const deadlines = createDeadlines<Item>({
        clock,
        dueAt: ({ at }) => at,
        onDue: (due) => {
          for (const item of due) {
            expect(watched.delete(item)).toBe(true);
            expect(item.at).toBe(clock.now());
          }
        },
        onStall: () => expect.fail("nobody stood still"),
      });
      for (const { name, kind, ms, pass } of steps) {
        const item = items[name] ?? expect.fail();
        if (kind === "watch") {
          item.at = clock.now() + ms;
          watched.add(item);
          deadlines.watch(item);
        } else if (kind === "later" && watched.has(item)) item.at += ms;
        else if (kind === "forget") {
          watched.delete(item);
          deadlines.forget(item);
        }
        expect(clock.pending()).toBeLessThanOrEqual(1);
        clock.advance(pass);
        for (const left of watched) expect(left.at).toBeGreaterThan(clock.now() - 1);
      }
      clock.advance(10_000);
      expect(watched.size).toBe(0);
      expect(clock.pending()).toBe(0);
    }),
  );
});
