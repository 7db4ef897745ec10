import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareUnchanged } from "../../src/base/share.ts";

describe("what did not change keeps its identity", () => {
  test("the whole", () => {
    const before = { a: [1, { b: "x" }], m: new Map([["k", { c: 1 }]]) };
    expect(shareUnchanged(before, structuredClone(before))).toBe(before);
  });

  test("parts beside a change", () => {
    const before = { a: { x: 1 }, b: { y: 1 }, list: [{ i: 0 }, { i: 1 }] };
    const after = shareUnchanged(before, { a: { x: 1 }, b: { y: 2 }, list: [{ i: 0 }, { i: 9 }, { i: 2 }] });
    expect(after).toEqual({ a: { x: 1 }, b: { y: 2 }, list: [{ i: 0 }, { i: 9 }, { i: 2 }] });
    expect(after.a).toBe(before.a);
    expect(after.b).not.toBe(before.b);
    expect(after.list[0]).toBe(before.list[0]);
  });

  test("entries of a map; its order counts", () => {
    const before = new Map([
      ["a", { x: 1 }],
      ["b", { x: 2 }],
    ]);
    const after = shareUnchanged(before, new Map([...structuredClone(before), ["c", { x: 3 }]]));
    expect(after).not.toBe(before);
    expect(after.get("a")).toBe(before.get("a"));
    const turned = shareUnchanged(before, new Map([...structuredClone(before)].reverse()));
    expect([...turned.keys()]).toEqual(["b", "a"]);
    expect(turned.get("b")).toBe(before.get("b"));
  });

  test.each([
    ["a missing and an undefined field", { a: 1 }, { a: 1, b: undefined }],
    ["a list and an object", [1], { 0: 1 }],
    ["a map and an object", new Map(), {}],
    ["null and an object", null, {}],
    ["a shorter list", [1, 2], [1]],
    ["a field less", { a: 1, b: 2 }, { a: 1 }],
    ["a field inherited and a field owned", {}, { toString: 1 }],
  ])("%s are not the same", (_name, before, after) => {
    const shared = shareUnchanged(before, after);
    expect(shared).not.toBe(before);
    expect(shared).toStrictEqual(after);
  });

  test("not-a-number is itself; zero and minus zero are two", () => {
    const before = { n: Number.NaN, z: 0 };
    expect(shareUnchanged(before, { n: Number.NaN, z: 0 })).toBe(before);
    expect(Object.is(shareUnchanged(before, { n: Number.NaN, z: -0 }).z, -0)).toBe(true);
  });
});

test("the result equals the new value, and is the old object exactly when the two are equal", () => {
  const values = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(values, values, (before, after) => {
      expect(shareUnchanged(before, after)).toStrictEqual(after);
      expect(shareUnchanged(before, structuredClone(before))).toBe(before);
    }),
  );
});
