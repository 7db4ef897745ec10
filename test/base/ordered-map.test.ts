import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changesBetween, OrderedMap } from "../../src/base/ordered-map.ts";

const [one, two] = [{ n: 1 }, { n: 2 }];
const key = fc.integer({ min: 0, max: 300 }).map((n) => `k${n}`);
const edits = fc.array(fc.tuple(key, fc.option(fc.constantFrom(one, two), { nil: undefined })), { maxLength: 60 });

/** What a plain map makes of the same edits, in the order of its keys. */
function edited<V>(map: ReadonlyMap<string, V>, changes: readonly (readonly [string, V | undefined])[]) {
  const next = new Map(map);
  for (const [name, value] of changes) {
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  }
  return new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("OrderedMap", () => {
  test("is a map in the order of its keys, and old versions stay as they were", () => {
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 6 }), (steps) => {
        let map = OrderedMap.of<string, { n: number }>();
        let model: ReadonlyMap<string, { n: number }> = new Map();
        const versions = [[map, model] as const];
        for (const step of steps) {
          map = map.with(step);
          model = edited(model, step);
          versions.push([map, model]);
        }
        for (const [version, expected] of versions) {
          expect([...version]).toEqual([...expected]);
          expect([...version.keys()]).toEqual([...expected.keys()]);
          expect([...version.values()]).toEqual([...expected.values()]);
          expect(version.size).toBe(expected.size);
          const visited: unknown[] = [];
          version.forEach((value, name) => {
            visited.push([name, value]);
          });
          expect(visited).toEqual([...expected]);
        }
      }),
    );
  });

  test("tells what differs between any two versions, in the order of keys", () => {
    fc.assert(
      fc.property(edits, edits, edits, (base, left, right) => {
        const start = OrderedMap.of<string, { n: number }>().with(base);
        const [a, b] = [start.with(left), start.with(right)];
        const names = [...new Set([...a.keys(), ...b.keys()])].sort();
        const expected = names
          .filter((name) => a.get(name) !== b.get(name))
          .map((name) => ({
            key: name,
            ...(a.has(name) && { before: a.get(name) }),
            ...(b.has(name) && { after: b.get(name) }),
          }));
        expect(a.changesTo(b)).toEqual(expected);
        expect(changesBetween(a, b)).toEqual(expected);
        const plain = changesBetween(new Map(a), new Map(b));
        expect(plain.toSorted((x, y) => (x.key < y.key ? -1 : 1))).toEqual(expected);
      }),
    );
  });

  test("a change that changes nothing gives the very map", () => {
    const map = OrderedMap.of<string, object>([["a", one]]);
    expect(
      map.with([
        ["a", one],
        ["b", undefined],
      ]),
    ).toBe(map);
    expect(map.changesTo(map)).toEqual([]);
  });

  test("of equal keys the last counts", () => {
    expect([
      ...OrderedMap.of([
        ["a", one],
        ["a", two],
      ] as const),
    ]).toEqual([["a", two]]);
  });

  test("what two versions share is not walked: a change among 100,000 is found in a handful of steps", () => {
    const map = OrderedMap.of(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, { n: i }] as const));
    const changed = map.with([["k77777", one]]);
    let looked = 0;
    const original = Object.is;
    Object.is = (a, b) => {
      looked++;
      return original(a, b);
    };
    try {
      expect(map.changesTo(changed)).toHaveLength(1);
    } finally {
      Object.is = original;
    }
    expect(looked).toBeLessThan(200);
  });
});
