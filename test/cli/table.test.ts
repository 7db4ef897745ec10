import { expect, test } from "vitest";
import { formatAge } from "../../src/cli/age.ts";
import { colourStyle, plainStyle } from "../../src/cli/style.ts";
import { formatTable } from "../../src/cli/table.ts";
import { displayWidth, visibleText } from "../../src/cli/terminal-text.ts";

const columns = [{ title: "NAME" }, { title: "COUNT", align: "right" as const }, { title: "NOTE" }];

test("columns are aligned, and no line ends in spaces", () => {
  const rows = [
    ["reviews", "3", "fine"],
    ["名前", "12", ""],
    ["a\tb\u001b", "1234567", { text: "late", tone: "bad" as const }],
  ];
  expect(formatTable(columns, rows, plainStyle)).toBe(
    ["NAME       COUNT  NOTE", "reviews        3  fine", "名前          12", "a b␛     1234567  late", ""].join("\n"),
  );
});

test("colours do not move columns", () => {
  const rows = [[{ text: "a", tone: "good" as const }, { text: "1", tone: "bad" as const }, "x"]];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
  const colours = /\u001b\[[0-9]+m/g;
  const coloured = formatTable(columns, rows, colourStyle);
  expect(coloured).toMatch(colours);
  expect(coloured.replace(colours, "")).toBe(formatTable(columns, rows, plainStyle));
});

test.each([
  ["abc", 3],
  ["名前", 4],
  ["é", 1],
  ["e\u0301", 1],
  ["🙂", 2],
  ["", 0],
])("%j is %d columns wide", (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ["a\n b\r\nc", "a b c"],
  ["\u001b[2J", "␛[2J"],
  ["\u007f\u0085", "��"],
  ["a\u202eb", "a�b"],
])("%j is shown as %j", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

test.each([
  [0, "0s"],
  [-5_000, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_599_000, "59m"],
  [86_399_000, "23h"],
  [86_400_000 * 12, "12d"],
  [Number.NaN, "?"],
])("%d ms ago is %s", (elapsedMs, age) => {
  expect(formatAge(1e12 - elapsedMs, 1e12)).toBe(age);
});
