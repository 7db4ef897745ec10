import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createInterner, hashOfAll } from "../../src/base/intern.ts";
import { heldBytes } from "../support/heap.ts";
import { waitFor } from "../support/wait-for.ts";

const equalSets = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && a.isSubsetOf(b);

describe("equal values", () => {
  test("are one, and others are not, also where they have one key", () => {
    for (const keyOf of [hashOfAll, () => 0]) {
      const { the } = createInterner<ReadonlySet<string>>((set) => `${keyOf(set)}`, equalSets);
      const one = the(new Set(["a", "b"]));
      expect(the(new Set(["b", "a"]))).toBe(one);
      const other = the(new Set(["a", "c"]));
      expect(other).toEqual(new Set(["a", "c"]));
      expect(the(new Set(["c", "a"]))).toBe(other);
      expect(the(new Set(["a", "b"]))).toEqual(one);
    }
  });

  test("are forgotten when nobody has them", async () => {
    const { the, size } = createInterner<ReadonlySet<string>>((set) => `${hashOfAll(set)}`, equalSets);
    const kept = the(new Set(["kept"]));
    for (let i = 0; i < 100; i++) the(new Set([`${i}`]));
    expect(size()).toBe(101);
    await waitFor(() => heldBytes() > 0 && size() === 1, { what: "the others to go" });
    expect(the(new Set(["kept"]))).toBe(kept);
  });
});

describe("the hash of several texts", () => {
  test("is the same in any order, and hardly ever for others", () => {
    const texts = fc.uniqueArray(fc.string(), { maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.func(fc.nat()), texts, (list, key, others) => {
        const shuffled = [...list].sort((a, b) => key(a) - key(b));
        expect(hashOfAll(shuffled)).toBe(hashOfAll(list));
        if (!equalSets(new Set(list), new Set(others))) expect(hashOfAll(others)).not.toBe(hashOfAll(list));
      }),
    );
  });
});
