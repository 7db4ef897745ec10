import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pointerTo } from "../../src/base/json-pointer.ts";
import { maxProblems, parseDocuments } from "../../src/base/yaml-document.ts";

const values = (text: string) => parseDocuments(text).map(({ value }) => value);
const problems = (text: string) => parseDocuments(text).flatMap((document) => document.problems);

describe("data", () => {
  const cases: readonly (readonly [string, string, readonly unknown[]])[] = [
    ["an empty text", "", []],
    ["comments only", "# a\n---\n# b\n", []],
    [
      "scalars",
      "[1, -1, 1.5, true, null, ~, text, '1', \"a\\nb\"]",
      [[1, -1, 1.5, true, null, null, "text", "1", "a\nb"]],
    ],
    ["words that YAML 1.1 takes for booleans", "[yes, no, on, off]", [["yes", "no", "on", "off"]]],
    ["several documents", "a: 1\n---\nb: 2\n---\n---\nc: 3\n...\nd: 4\n", [{ a: 1 }, { b: 2 }, { c: 3 }, { d: 4 }]],
    ["content on the marker's line", "--- {a: 1}\n--- text\n", [{ a: 1 }, "text"]],
    ["a directive", "%YAML 1.2\n---\na: 1\n", [{ a: 1 }]],
    ["JSON", '{\n\t"a": [1, {"b": "\\u00e9\\/"}]\n}\n', [{ a: [1, { b: "é/" }] }]],
    ["Windows line ends and a byte-order mark", "\ufeffa: 1\r\nb:\r\n  - 2\r\n", [{ a: 1, b: [2] }]],
    ["a dashed line inside an indented block", "a: |\n  x\n  ---\n  y\nb: 1\n", [{ a: "x\n---\ny\n", b: 1 }]],
    ["names that are no texts", "1: a\ntrue: b\n1.50: c\n", [{ "1": "a", true: "b", "1.50": "c" }]],
    ["aliases", "a: &x [1]\nb: *x\nc: &x 2\nd: *x\n", [{ a: [1], b: [1], c: 2, d: 2 }]],
    [
      "merge keys",
      "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {a: 0, <<: [*y, *x]}\n",
      [{ x: { a: 1, b: 1 }, y: { b: 2, c: 2 }, z: { a: 0, b: 2, c: 2 } }],
    ],
  ];
  test.each(cases)("%s", (_name, text, expected) => {
    expect(values(text)).toEqual(expected);
    expect(problems(text)).toEqual([]);
  });

  test("a field named __proto__ is a field like any other", () => {
    const [value] = values("a: &a {__proto__: {x: 1}}\nb: {<<: *a}\n") as [{ a: object; b: object }];
    expect(Object.keys(value.a)).toEqual(["__proto__"]);
    expect(Object.keys(value.b)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value.b)).toBe(Object.prototype);
  });

  test("JSON means the same as to JSON.parse", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(values(json)).toEqual(value === null ? [] : [JSON.parse(json)]);
      }),
    );
  });
});

describe("problems", () => {
  const at = (line: number, column: number) => ({ line, column });
  const cases = [
    ["an unclosed quote", 'a: 1\nb: "x\nc: 2\n', [{ kind: "syntax", pointer: "", ...at(2, 4) }]],
    ["an unclosed bracket", "a: 1\nb: [1, 2\nc: 2\n", [{ kind: "syntax", pointer: "", ...at(2, 4) }]],
    ["an unclosed brace", "a:\n  - {b: 1,\n  - c\n", [{ kind: "syntax", pointer: "", ...at(2, 5) }]],
    ["a bracket too many", "a: 1\n]\nb: 1\nc: 1\n", [{ kind: "syntax", pointer: "", ...at(2, 1) }]],
    ["one slip is one problem", "a:\n    - b\n  - c\nd: 1\n", [{ kind: "syntax", pointer: "", ...at(3, 1) }]],
    ["a tab", "a:\n\tb: 1\n", [{ kind: "syntax", pointer: "", ...at(2, 1) }]],
    ["indentation", "a:\n    b: 1\n  c: 2\n", [{ kind: "syntax", pointer: "", ...at(3, 1) }]],
    ["a colon in a text", "a: b: c\n", [{ kind: "syntax", pointer: "", ...at(1, 4) }]],
    ["a tag", "a: !thing 1\n", [{ kind: "syntax", pointer: "", ...at(1, 4) }]],
    ["a field there twice", "a: 1\nb:\n  c: 1\n  c: 2\n", [{ kind: "duplicate-key", pointer: "/b/c", ...at(4, 3) }]],
    ["a field there twice in JSON", '{"a": 1, "a": 1}', [{ kind: "duplicate-key", pointer: "/a", ...at(1, 10) }]],
    ["a name that is a list", "a:\n  ? [x]\n  : 1\n", [{ kind: "syntax", pointer: "/a", ...at(2, 5) }]],
    ["an alias without an anchor", "a: *x\n", [{ kind: "syntax", pointer: "/a", ...at(1, 4) }]],
    ["an alias inside its own anchor", "a: &x [*x]\n", [{ kind: "syntax", pointer: "/a/0", ...at(1, 8) }]],
    ["a merge of no object", "a: {<<: 1}\n", [{ kind: "syntax", pointer: "/a/<<", ...at(1, 9) }]],
    ["nesting in brackets", `a: ${"[".repeat(100)}`, [{ kind: "too-large", pointer: "", ...at(1, 67) }]],
  ] as const;
  test.each(cases)("%s", (_name, text, expected) => {
    expect(problems(text)).toMatchObject(expected);
  });

  test("say what to do", () => {
    expect(problems('a: "x\n')).toEqual([
      {
        kind: "syntax",
        pointer: "",
        line: 1,
        column: 4,
        message: 'The YAML is broken: a " is not closed.',
        hint: 'Close the text with "',
      },
    ]);
  });

  test("a broken document leaves the others alone", () => {
    for (const broken of [
      'x: "unclosed',
      "x: [1, 2",
      "x: {a: 1",
      "x: 'unclosed",
      "\tx: 1",
      "x: 1\n y: 2",
      "x: |2\n z",
    ]) {
      const documents = parseDocuments(`a: 1\n---\n${broken}\n---\nb: -1\n`);
      expect(documents.map((document) => document.problems.length > 0)).toEqual([false, true, false]);
      expect([documents[0]?.value, documents[2]?.value]).toEqual([{ a: 1 }, { b: -1 }]);
      expect(documents[2]?.locate("/b").line).toBe(documents[2]?.start.line);
    }
  });

  test("are listed up to a bound", () => {
    expect(problems("a: 1\n".repeat(100))).toHaveLength(maxProblems);
  });
});

describe("bounds", () => {
  test("of length and number of documents", () => {
    const limits = { maxLength: 20, maxDocuments: 2 };
    expect(parseDocuments("a".repeat(21), limits)).toMatchObject([
      { value: undefined, problems: [{ kind: "too-large", line: 1, column: 1 }] },
    ]);
    expect(parseDocuments("---\na\n---\nb\n---\nc\n", limits)).toMatchObject([
      { value: "a", problems: [] },
      { value: "b", problems: [] },
      { value: undefined, problems: [{ kind: "too-large", line: 5, column: 1 }] },
    ]);
    expect(parseDocuments("---\n---\n---\n---\n", limits)).toMatchObject([
      { value: undefined, problems: [{ kind: "too-large", line: 4, column: 1 }] },
    ]);
  });

  test("of words", () => {
    const limits = { maxLength: 1_000, maxDocuments: 10, maxWords: 20 };
    const text = "a: [1, 2]\n---\nb: [1, 2, 3, 4, 5, 6, 7, 8]\n---\nc: 1\n";
    expect(parseDocuments(text, limits)).toMatchObject([
      { value: { a: [1, 2] }, problems: [] },
      { problems: [{ kind: "too-large", line: 3, message: expect.stringContaining("20 words") }] },
      { value: { c: 1 }, problems: [] },
    ]);
  });

  test("aliases that multiply", () => {
    const laughs = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`);
    const [document, ...others] = parseDocuments(`a0: &a0 ha\n${laughs.join("\n")}\n`);
    expect(others).toEqual([]);
    expect(document?.problems).toMatchObject([{ kind: "too-large", hint: "Write the values out." }]);
    expect(JSON.stringify(document?.value).length).toBeLessThan(1_000_000);
  });

  test("aliases that deepen", () => {
    const chain = Array.from({ length: 70 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`);
    expect(problems(`a0: &a0 [1]\n${chain.join("\n")}\n`)).toMatchObject([{ kind: "too-large" }]);
  });

  test.each(["- ", "[", "? ", "{a: ", "a:\n "])("endless nesting of %j", (step) => {
    const text =
      step === "a:\n " ? Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:\n`).join("") : step.repeat(20_000);
    expect(problems(text)).toMatchObject([{ kind: "too-large" }]);
  });
});

describe("places", () => {
  const text = [
    "# a",
    "a:",
    "  b:",
    "    - c: 1",
    "      d:",
    "    - {e: [x, y]}",
    "  'f/g~': 2",
    "h:",
    "---",
    "i: -1",
  ].join("\n");
  const [first, second] = parseDocuments(text);
  const cases = [
    ["", 2, 1, 2, 1],
    ["/a", 3, 3, 2, 1],
    ["/a/b/0", 4, 7, 4, 7],
    ["/a/b/0/c", 4, 10, 4, 7],
    ["/a/b/1/e/1", 6, 15, 6, 15],
    ["/a/f~1g~0", 7, 11, 7, 3],
    ["/h", 8, 3, 8, 1],
    ["/a/b/7/c", 4, 5, 3, 3],
    ["/a/b/0/zz/y", 4, 7, 4, 7],
    ["/nothing", 2, 1, 2, 1],
  ] as const;
  test.each(cases)("of %j", (pointer, line, column, keyLine, keyColumn) => {
    expect(first?.locate(pointer)).toEqual({ line, column });
    expect(first?.locate(pointer, "key")).toEqual({ line: keyLine, column: keyColumn });
  });

  test("in a later document, through aliases and merges", () => {
    expect(second?.locate("/i")).toEqual({ line: 10, column: 4 });
    const [document] = parseDocuments("x: &x\n  a: 1\ny: *x\nz:\n  <<: *x\n  b: 2\n");
    expect(document?.locate("/y/a")).toEqual({ line: 2, column: 6 });
    expect(document?.locate("/z/a")).toEqual({ line: 2, column: 6 });
    expect(document?.locate("/z/b")).toEqual({ line: 6, column: 6 });
  });

  test("every scalar of a JSON text is where its pointer says", () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer()))), (value) => {
        const json = JSON.stringify(value, null, 2);
        const lines = json.split("\n");
        const [document] = parseDocuments(json);
        for (const [index, object] of value.entries()) {
          for (const [key, scalar] of Object.entries(object)) {
            const { line, column } = document?.locate(pointerTo(pointerTo("", index), key)) ?? { line: 0, column: 0 };
            expect(lines[line - 1]?.slice(column - 1).replace(/,$/, "")).toBe(JSON.stringify(scalar));
          }
        }
      }),
    );
  });
});

test("no text throws", () => {
  const bits = fc.constantFrom(
    "a",
    "b: ",
    "- ",
    "? ",
    ": ",
    "\n",
    " ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    '"',
    "'",
    "|",
    ">",
    "&x ",
    "*x",
    "!t ",
    "#",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\t",
    "<<: ",
    "\\",
    "1",
    "~",
    "\r\n",
    "@",
    "`",
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), (parts) => {
      for (const document of parseDocuments(parts.join(""))) {
        expect(document.start.line).toBeGreaterThan(0);
        expect(document.locate("/a/0/b").column).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
});
