import { expect, test } from "vitest";
import { memoizeItems } from "../../src/base/memo-of-items.ts";

const items = Array.from({ length: 40 }, (_, id) => ({ id }));

test("lists with the same items have one result, however many begin alike", () => {
  let calls = 0;
  const joined = memoizeItems((name: string, list: readonly { readonly id: number }[]) => {
    calls += 1;
    return { name, ids: list.map(({ id }) => id) };
  });
  const lists = items.map((_, index) => [...items.slice(0, 3), ...items.slice(index)]);
  const results = lists.map((list) => joined("a", list));
  expect(calls).toBe(40);
  for (const [index, list] of lists.entries()) expect(joined("a", [...list])).toBe(results[index]);
  expect(calls).toBe(40);
  expect(results.map(({ ids }) => ids)).toEqual(lists.map((list) => list.map(({ id }) => id)));
});

test("the order, the name, and an item of equal content make another result", () => {
  const made = memoizeItems((_: string, list: readonly object[]) => ({ list }));
  const [a, b] = [{}, {}];
  expect(made("a", [a, b])).not.toBe(made("a", [b, a]));
  expect(made("b", [a, b])).not.toBe(made("a", [a, b]));
  expect(made("a", [a, {}])).not.toBe(made("a", [a, b]));
  expect(made("a", [])).toBe(made("a", []));
});
