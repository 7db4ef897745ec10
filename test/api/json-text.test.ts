import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJson } from "../../src/api/json-text.ts";

test("takes what JSON.parse takes, and gives the same", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

test("refuses what JSON.parse refuses", () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', "x", "\\", ":"))
    .map(([text, at, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + 1);
    });
  fc.assert(
    fc.property(broken, (text) => {
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      const parsed = parseJson(text);
      if (!parses) expect(parsed.ok).toBe(false);
      if (parses && !parsed.ok) expect(parsed.problem.message).toContain("is there twice");
    }),
  );
});

test.each([
  ['{"a": 1,\n "a": 2}', 2, 2, 'The field "a" is there twice.'],
  ['{"a": 1, "\\u0061": 2}', 1, 10, 'The field "a" is there twice.'],
  ["{a: 1}", 1, 2, 'It is not JSON: expected a name in double quotes or `}`, found "a".'],
  ['{"a" 1}', 1, 6, 'It is not JSON: expected `:`, found "1".'],
  ["[1,]", 1, 4, 'It is not JSON: expected a value, found "]".'],
  ["[1", 1, 3, "It is not JSON: expected `,` or `]`, found the end."],
  ["1 2", 1, 3, 'It is not JSON: expected nothing more, found "2".'],
  ["", 1, 1, "It is not JSON: expected a value, found the end."],
  ['"a\nb"', 1, 1, "It is not JSON: a text has no end, or a line break in it."],
  ["[".repeat(101), 1, 101, "It is nested more than 100 levels deep."],
])("%j", (text, line, column, message) => {
  expect(parseJson(text)).toEqual({ ok: false, problem: { message, line, column } });
});
