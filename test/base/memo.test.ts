import { expect, test } from "vitest";
import { keepSameList, memoize } from "../../src/base/memo.ts";

test("the same arguments are worked out once; objects count by identity, the rest by value", () => {
  let calls = 0;
  const pair = memoize((a: object, b: string | undefined, ...more: readonly object[]) => {
    calls++;
    return { a, b, more };
  });
  const [x, y] = [{ n: 1 }, { n: 1 }];
  expect(pair(x, "s")).toBe(pair(x, "s"));
  expect(pair(x, undefined)).toBe(pair(x, undefined));
  expect(pair(x, "s", y)).toBe(pair(x, "s", y));
  expect(calls).toBe(3);
  expect(pair(y, "s")).not.toBe(pair(x, "s"));
  expect(pair(x, "s", x, y)).not.toBe(pair(x, "s", y, x));
});

test("an undefined result is a result", () => {
  let calls = 0;
  const nothing = memoize((_: object) => {
    calls++;
    return undefined;
  });
  const key = {};
  nothing(key);
  nothing(key);
  expect(calls).toBe(1);
});

test("a list with the same items is the same list, for its owner", () => {
  const keep = keepSameList<object>();
  const [a, b, owner, other] = [{}, {}, {}, {}];
  const first = keep(owner, [a, b]);
  expect(keep(owner, [a, b])).toBe(first);
  expect(keep(other, [a, b])).not.toBe(first);
  expect(keep(owner, [b, a])).toEqual([b, a]);
  expect(keep(owner, [b])).toHaveLength(1);
});
