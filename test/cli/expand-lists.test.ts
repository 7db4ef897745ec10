import { expect, test } from "vitest";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { expandLists } from "../../src/cli/expand-lists.ts";

const valuesIn = (text: string): readonly unknown[] => parseDocuments(text).map(({ value }) => value);

test.each([
  ["JSON", '{\n  "items": [\n    {\n      "a": 1\n    },\n    {\n      "b": [2]\n    }\n  ]\n}\n'],
  ["JSON on one line", '{"items":[{"a":1},{"b":[2]}]}'],
  ["a block", "kind: List\nitems:\n  - a: 1 # one\n  - b:\n      - 2"],
  ["a block without indentation", "kind: List\nitems:\n- a: 1\n-\n  b: [2]\nmetadata: {}\n"],
  ["with Windows' line ends", "items:\r\n- a: 1\r\n- b:\r\n  - 2\r\n"],
])("the items of a list: %s", (_what, list) => {
  expect(valuesIn(expandLists(list).text)).toEqual([{ a: 1 }, { b: [2] }]);
  const around = `x: 1\n---\n${list.trimEnd()}\n---\ny: 2\n`;
  expect(valuesIn(expandLists(around).text)).toEqual([{ x: 1 }, { a: 1 }, { b: [2] }, { y: 2 }]);
});

test("every document has the author's line and column", () => {
  const list = "x: 1\n---\nkind: List\nitems:\n  - a: 1\n    aa: 1\n\n  - b: 2\n    bb: 2\n---\ny: 2\n";
  const { text, originalLine } = expandLists(list);
  const lines = list.split("\n");
  for (const [index, line] of text.split("\n").entries()) {
    if (!/[a-z]/.test(line)) continue;
    expect(lines[originalLine(index + 1) - 1]?.replace("-", " ")).toBe(line);
  }
});

test.each([
  ["no list", "a: 1\nspec: { items: [{ b: 2 }] }\n"],
  ["other items", "items: [1, { a: 2 }]\n"],
  ["items that are no list", "items: { a: 1 }\n"],
  ["a rule with a field of that name", "items: [{ a: 1 }]\nspec: {}\n"],
  ["broken", "items: [{ a: 1 }\n"],
])("left as it is: %s", (_what, text) => {
  expect(expandLists(text).text).toBe(text);
});
