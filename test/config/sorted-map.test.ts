import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText } from "../../src/base/compare-text.ts";
import { changedKeys, changeSorted } from "../../src/config/sorted-map.ts";

const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
const value = fc.nat(2);
const sorted = (entries: Iterable<readonly [string, number]>) =>
  new Map([...new Map(entries)].sort(([a], [b]) => compareText(a, b)));
const map = fc.array(fc.tuple(key, value)).map(sorted);
const changes = fc.array(fc.tuple(key, fc.option(value, { nil: undefined }))).map((entries) => new Map(entries));

test("a changed map is what a sorted one with these entries would be", () => {
  fc.assert(
    fc.property(map, changes, (before, changed) => {
      const all: readonly (readonly [string, number | undefined])[] = [...before, ...changed];
      const expected = [...new Map(all)].filter((entry): entry is [string, number] => entry[1] !== undefined);
      expect([...changeSorted(before, changed)]).toEqual([...sorted(expected)]);
    }),
  );
});

test("the changed keys are those that came, went or have another value", () => {
  fc.assert(
    fc.property(map, map, (before, after) => {
      const keys = [...sorted([...before, ...after]).keys()];
      expect(changedKeys(before, after)).toEqual(keys.filter((one) => before.get(one) !== after.get(one)));
    }),
  );
});
