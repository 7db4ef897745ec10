import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  anything,
  boolean,
  choice,
  type Decoder,
  decode,
  fail,
  integer,
  list,
  mapOf,
  mapped,
  maxListed,
  parsed,
  refined,
  stringMap,
  text,
} from "../../src/base/decode.ts";
import { object, optional, required, withDefault } from "../../src/base/decode-object.ts";

/** One line a problem, or the value. */
const outcome = (decoder: Decoder<unknown>, value: unknown) => {
  const result = decode(decoder, value);
  const lines = result.problems.map(({ severity, code, pointer, message, hint }) =>
    [severity, code, pointer, message, ...(hint === undefined ? [] : [hint])].join(" | "),
  );
  return result.ok ? (lines.length === 0 ? result.value : [...lines, result.value]) : lines;
};

const small = integer({ min: 0, max: 9 });
const colour = choice({ RED: 1, GREEN: 2 }, { unsupported: ["BLUE"], ignoreCase: true });
const even = refined(small, (value, site) => {
  if (value % 2 === 1) fail(site, "conflict", `${value} is odd.`);
});

describe("values", () => {
  const cases: readonly (readonly [string, Decoder<unknown>, unknown, unknown])[] = [
    ["boolean", boolean, false, false],
    ["no boolean", boolean, "yes", ['error | invalid-type |  | Expected true or false, found "yes".']],
    ["integer", small, 9, 9],
    [
      "integer too small",
      small,
      -1,
      ["error | invalid-value |  | Expected a whole number from 0 to 9, found -1. | Use 0 or more."],
    ],
    [
      "no integer",
      small,
      1.5,
      ["error | invalid-value |  | Expected a whole number from 0 to 9, found 1.5. | Use a whole number."],
    ],
    [
      "not a number",
      small,
      Number.NaN,
      ["error | invalid-value |  | Expected a whole number from 0 to 9, found NaN. | Use a whole number."],
    ],
    ["integer as text", small, "1", ['error | invalid-type |  | Expected a whole number, found "1".']],
    ["text", text(), "a", "a"],
    ["number for text", text(), 1.1, ["error | invalid-type |  | Expected a text, found 1.1. | Put it in quotes."]],
    ["list for text", text(), [], ["error | invalid-type |  | Expected a text, found a list."]],
    [
      "empty text",
      text(),
      "",
      ["error | invalid-value |  | Expected a text of 1 to 1024 characters, found an empty one."],
    ],
    [
      "long text",
      text({ maxLength: 2 }),
      "abc",
      ["error | invalid-value |  | Expected a text of 1 to 2 characters, found one of 3."],
    ],
    [
      "control characters",
      text(),
      "a\nb",
      ['error | invalid-value |  | Expected a text without control characters, found "a\\nb".'],
    ],
    [
      "half a character",
      text(),
      "\ud800",
      ['error | invalid-value |  | Expected a text without control characters, found "\\ud800".'],
    ],
    ["lines", text({ multiline: true }), "a\r\n\tb\n", "a\r\n\tb\n"],
    [
      "other control characters between lines",
      text({ multiline: true }),
      "a\u0000",
      ['error | invalid-value |  | Expected a text without control characters, found "a\\u0000".'],
    ],
    ["parsed", parsed((t) => (t === "x" ? 7 : undefined), "an x"), "x", 7],
    [
      "not parsed",
      parsed((t) => (t === "x" ? 7 : undefined), "an x", { hint: "Write x." }),
      "y",
      ['error | invalid-value |  | Expected an x, found "y". | Write x.'],
    ],
    [
      "not in the grammar, so not parsed",
      parsed(() => 7, "an x", { pattern: /^x$/ }),
      "xx",
      ['error | invalid-value |  | Expected an x, found "xx".'],
    ],
    ["choice", colour, "green", 2],
    [
      "a letter that is none of ASCII's, though its small form is",
      choice({ OK: 1 }, { ignoreCase: true }),
      "O\u212a",
      ['error | invalid-value |  | Expected OK, found "O\u212a". | Did you mean OK?'],
    ],
    [
      "unsupported choice",
      colour,
      "blue",
      ['error | unsupported-value |  | "blue" is not carried out yet. | Use RED or GREEN.'],
    ],
    [
      "unknown choice",
      colour,
      "GREN",
      ['error | invalid-value |  | Expected RED or GREEN, found "GREN". | Did you mean GREEN?'],
    ],
    ["far choice", colour, "", ['error | invalid-value |  | Expected RED or GREEN, found "".']],
    [
      "choice named like a property of all objects",
      colour,
      "constructor",
      ['error | invalid-value |  | Expected RED or GREEN, found "constructor".'],
    ],
    ["refined", even, 4, 4],
    ["refused", even, 5, ["error | conflict |  | 5 is odd."]],
    [
      "refused before",
      even,
      10,
      ["error | invalid-value |  | Expected a whole number from 0 to 9, found 10. | Use 9 or less."],
    ],
    ["mapped", mapped(small, (n) => n * 2), 4, 8],
    ["anything", anything, [{}], [{}]],
  ];
  test.each(cases)("%s", (_name, decoder, value, expected) => {
    expect(outcome(decoder, value)).toEqual(expected);
  });
});

describe("collections", () => {
  const cases: readonly (readonly [string, Decoder<unknown>, unknown, unknown])[] = [
    ["list", list(small), [1, 2], [1, 2]],
    ["no list", list(small), {}, ["error | invalid-type |  | Expected a list, found an object."]],
    [
      "all items of a list",
      list(small),
      [1, -1, "x"],
      [
        "error | invalid-value | /1 | Expected a whole number from 0 to 9, found -1. | Use 0 or more.",
        'error | invalid-type | /2 | Expected a whole number, found "x".',
      ],
    ],
    ["null in a list", list(small), [null], ["error | invalid-type | /0 | Expected a whole number, found null."]],
    ["short list", list(small, { min: 1 }), [], ["error | invalid-value |  | Expected at least 1 item, found 0."]],
    ["long list", list(small, { max: 1 }), [1, 2], ["error | invalid-value |  | Expected at most 1 item, found 2."]],
    [
      "list of a range",
      list(small, { min: 1, max: 2 }),
      [],
      ["error | invalid-value |  | Expected at least 1 item, found 0."],
    ],
    ["map", stringMap, { a: "", __proto: "x" }, { a: "", __proto: "x" }],
    [
      "map of wrong values",
      stringMap,
      { "a/b": 1 },
      ["error | invalid-type | /a~1b | Expected a text, found 1. | Put it in quotes."],
    ],
    [
      "map of wrong names",
      mapOf(small, { name: text({ maxLength: 1 }) }),
      { ab: 1 },
      ["error | invalid-value | /ab | Expected a text of 1 to 1 characters, found one of 2."],
    ],
    ["map of other names", mapOf(small, { name: mapped(text(), (n) => n.toLowerCase()) }), { A: 1 }, { a: 1 }],
    [
      "large map",
      mapOf(small, { max: 1 }),
      { a: 1, b: 1 },
      ["error | invalid-value |  | Expected at most 1 field, found 2."],
    ],
    ["no map", stringMap, ["a"], ["error | invalid-type |  | Expected an object, found a list."]],
  ];
  test.each(cases)("%s", (_name, decoder, value, expected) => {
    expect(outcome(decoder, value)).toEqual(expected);
  });
});

describe("objects", () => {
  const port = object(
    { number: required(small), name: optional(text()), colour: withDefault(colour, 1) },
    { unsupported: ["targetPort"], dropped: ["note"], ignored: ["status"] },
  );

  test("have the type of their fields", () => {
    const result = decode(port, { number: 1 });
    if (result.ok) {
      expectTypeOf(result.value).branded.toEqualTypeOf<{
        readonly number: number;
        readonly name?: string;
        readonly colour: number;
      }>();
    }
    expect(result.ok).toBe(true);
  });

  const cases = [
    ["all fields", { number: 1, name: "a", colour: "green" }, { number: 1, name: "a", colour: 2 }],
    ["absent fields", { number: 1 }, { number: 1, colour: 1 }],
    ["null is absent", { number: 1, name: null, colour: null }, { number: 1, colour: 1 }],
    ["ignored fields", { number: 1, status: { any: 1 } }, { number: 1, colour: 1 }],
    ["a missing field", {}, ["error | missing-field | /number | The field number is missing."]],
    ["null for a required field", { number: null }, ["error | missing-field | /number | The field number is missing."]],
    [
      "fields of all objects",
      { number: 1, toString: 1 },
      [
        'error | unknown-field | /toString | There is no field "toString". | Known here: number, name, colour, note, status, targetPort.',
      ],
    ],
    [
      "a misspelt field",
      { number: 1, nmae: "a" },
      ['error | unknown-field | /nmae | There is no field "nmae". | Did you mean name?'],
    ],
    [
      "a misspelt unsupported field",
      { number: 1, targetport: 1 },
      ['error | unknown-field | /targetport | There is no field "targetport". | Did you mean targetPort?'],
    ],
    [
      "an unsupported field",
      { number: 1, targetPort: 2 },
      ["error | unsupported-field | /targetPort | The field targetPort is not carried out yet. | Remove it."],
    ],
    [
      "a dropped field",
      { number: 1, note: 2 },
      [
        "warning | dropped-field | /note | The field note is descriptive only and was dropped.",
        { number: 1, colour: 1 },
      ],
    ],
    ["no object", 5, ["error | invalid-type |  | Expected an object, found 5."]],
    [
      "several problems",
      { number: -1, name: 1, x: 1 },
      [
        "error | invalid-value | /number | Expected a whole number from 0 to 9, found -1. | Use 0 or more.",
        "error | invalid-type | /name | Expected a text, found 1. | Put it in quotes.",
        'error | unknown-field | /x | There is no field "x". | Known here: number, name, colour, note, status, targetPort.',
      ],
    ],
  ] as const;
  test.each(cases)("%s", (_name, value, expected) => {
    expect(outcome(port, value)).toEqual(expected);
  });

  test("leave what is somebody else's alone, where they are open", () => {
    expect(outcome(object({ a: required(small) }, { open: true }), { a: 1, b: {}, toString: 1 })).toEqual({ a: 1 });
  });

  test("tell what to do about a missing field", () => {
    expect(outcome(object({ a: required(small, "Count them.") }), {})).toEqual([
      "error | missing-field | /a | The field a is missing. | Count them.",
    ]);
  });

  test("list a bounded number of problems, and errors also behind many warnings", () => {
    const noisy = list(object({ a: optional(boolean) }, { dropped: ["b"] }));
    const value = [...Array.from({ length: 150 }, () => ({ b: 1 })), ...Array.from({ length: 150 }, () => ({ a: 1 }))];
    const { ok, problems } = decode(noisy, value, "/spec");
    expect(ok).toBe(false);
    expect(problems).toHaveLength(2 * maxListed);
    expect(problems.at(-1)?.pointer).toBe("/spec/249/a");
  });

  test("decode anything or say why not", () => {
    fc.assert(
      fc.property(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }),
        (value) => {
          const result = decode(list(port), value);
          expect(result.ok || result.problems.some(({ severity }) => severity === "error")).toBe(true);
        },
      ),
    );
  });
});
