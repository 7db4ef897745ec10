import { describe, expect, test } from "vitest";
import { formatExcerpt } from "../../src/cli/source-excerpt.ts";
import { plainStyle } from "../../src/cli/style.ts";

const excerpt = (text: string, line: number, column: number) =>
  formatExcerpt({ text, line, column, tone: "bad", style: plainStyle });

describe("a line with marks", () => {
  test.each([
    ["a word", "weight: -1", 9, "weight: -1", "        ^^"],
    ["a name", "  rout: x", 3, "  rout: x", "  ^^^^"],
    ["a quoted text", '{ regex: "a(?!b)" }', 10, '{ regex: "a(?!b)" }', "         ^^^^^^^^"],
    ["a quoted text with a quote", "a: 'it''s' # x", 4, "a: 'it''s' # x", "   ^^^^^^^"],
    ["a map", "a: { b: 1 }", 4, "a: { b: 1 }", "   ^"],
    ["the end of the line", "a:", 3, "a:", "  ^"],
    ["beyond the end", "a:", 99, "a:", "  ^"],
    ["after a tab", "\ta: x", 5, " a: x", "    ^"],
    ["after wide letters", "名: x", 4, "名: x", "    ^"],
    ["a wide word", "a: 名前", 4, "a: 名前", "   ^^^^"],
  ])("under %s", (_what, text, column, shown, marks) => {
    expect(excerpt(text, 1, column)).toBe(`  1 │ ${shown}\n    │ ${marks}\n`);
  });

  test("the right line of several, with room for its number", () => {
    expect(excerpt(`${"x\r\n".repeat(99)}a: 1\n`, 100, 4)).toBe("  100 │ a: 1\n      │    ^\n");
  });

  test("control characters cannot reach the terminal", () => {
    expect(excerpt("a: \u001b[31m\u202e!", 1, 4)).toBe("  1 │ a: ␛[31m�!\n    │    ^\n");
  });

  test("of a very long line only the part around the place", () => {
    const text = `{"a":"${"x".repeat(500)}","weight":-1,"b":"${"y".repeat(500)}"}`;
    const [line = "", marks = ""] = (excerpt(text, 1, text.indexOf("-1") + 1) ?? "").split("\n");
    expect(line).toMatch(/^ {2}1 │ …x+","weight":-1,"b":"y+…$/);
    expect(line.length).toBe(6 + 102);
    expect(marks.indexOf("^^")).toBe(line.indexOf("-1"));
  });

  test("no such line", () => {
    expect(excerpt("a", 2, 1)).toBeUndefined();
  });
});
