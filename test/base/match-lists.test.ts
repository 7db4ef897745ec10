import { expect, test } from "vitest";
import { matchLists } from "../../src/base/match-lists.ts";

/** The old index of each new item, `!` behind those that moved, `+` for new ones. */
const matched = (before: readonly unknown[], after: readonly unknown[]) =>
  matchLists(before, after)
    .map(({ from, stays }) => (from === undefined ? "+" : `${from}${stays ? "" : "!"}`))
    .join(" ");

const cases: readonly (readonly [string, readonly unknown[], readonly unknown[], string])[] = [
  ["nothing changes", [1, 2], [1, 2], "0 1"],
  ["fields in another order", [{ a: 1, b: 2 }, 3], [3, { b: 2, a: 1 }], "1! 0"],
  ["equal items", [1, 1, 2, 1], [1, 2, 1], "0 2 3"],
  ["a new item between", [1, 2], [1, 3, 2], "0 + 1"],
  ["an item changes", [1, 2, 3], [1, 9, 3], "0 1 2"],
  ["nobody can say which", [1, 2], [3], "+"],
  [
    "by name",
    [
      { name: "a", n: 1 },
      { name: "b", n: 2 },
    ],
    [{ name: "b", n: 1 }],
    "1",
  ],
  [
    "by what no other has",
    [
      { host: "a", n: 1 },
      { host: "b", n: 1 },
    ],
    [{ host: "b", n: 2 }],
    "1",
  ],
  ["by what is deep inside", [{ to: { host: "a" } }, { to: { host: "b" } }], [{ to: { host: "b", n: 1 } }], "1"],
  ["another name and nothing else", [{ name: "a", n: 1 }], [{ name: "b", n: 2 }], "+"],
  ["another name, else the same", [{ name: "a", n: 1 }], [{ name: "b", n: 1 }], "0"],
  ["the longest run stays", [1, 2, 3, 4], [4, 1, 2, 3], "3! 0 1 2"],
];

test.each(cases)("%s", (_name, before, after, expected) => {
  expect(matched(before, after)).toBe(expected);
});
