import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Document, isScalar, visit } from "yaml";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { type DocumentPatch, patchDocument } from "../../src/config/patch-document.ts";

const rule = `# How reviews are split.
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews   # the name
  namespace: shop
spec:
  hosts: [reviews]
  http:
  # the canary
  - name: 'canary'
    match:
    - headers: {x-canary: {exact: "yes"}}   # who
    route:
    - destination: {host: reviews, subset: v2}
      weight: 10 # share
    - destination:
        host: reviews
        subset: v1
      weight: 90
  # the rest
  - route:
    - destination: { host: reviews }
`;

/** A document as the store has it. */
const stored = (text: string) => ({
  text,
  format: "yaml" as const,
  json: JSON.stringify(parseDocuments(text)[0]?.value),
});

const json = (...operations: readonly object[]): DocumentPatch => ({ kind: "json", operations });
const merge = (patch: unknown): DocumentPatch => ({ kind: "merge", patch });

/** The lines that went and came, as in a diff. */
function changes(before: string, patch: DocumentPatch): readonly string[] {
  const result = patchDocument(stored(before), patch);
  if (!result.ok) return [`${result.problem.operation}: ${result.problem.message}`];
  const [old, now] = [before.split("\n"), result.text.split("\n")];
  let head = 0;
  while (head < old.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return [
    ...old.slice(head, old.length - tail).map((line) => `-${line}`),
    ...now.slice(head, now.length - tail).map((line) => `+${line}`),
  ];
}

describe("what is not touched stays as it is written", () => {
  const cases: readonly (readonly [string, DocumentPatch, readonly string[]])[] = [
    [
      "a number with a comment",
      json({ op: "replace", path: "/spec/http/0/route/0/weight", value: 20 }),
      ["-      weight: 10 # share", "+      weight: 20 # share"],
    ],
    [
      "a text in quotes",
      json({ op: "replace", path: "/spec/http/0/name", value: "it's" }),
      ["-  - name: 'canary'", "+  - name: 'it''s'"],
    ],
    [
      "a text in brackets",
      merge({ metadata: { name: "ratings" }, spec: { hosts: ["ratings"] } }),
      [
        "-  name: reviews   # the name",
        "-  namespace: shop",
        "-spec:",
        "-  hosts: [reviews]",
        "+  name: ratings   # the name",
        "+  namespace: shop",
        "+spec:",
        "+  hosts: [ratings]",
      ],
    ],
    [
      "an item less, with its comment",
      json({ op: "remove", path: "/spec/http/1" }),
      ["-  # the rest", "-  - route:", "-    - destination: { host: reviews }"],
    ],
    [
      "an item before the first one",
      json({ op: "add", path: "/spec/http/0", value: { name: "first", route: [{ destination: { host: "a" } }] } }),
      ["+  - name: first", "+    route:", "+    - destination:", "+        host: a"],
    ],
    [
      "an item after the last one",
      json({ op: "add", path: "/spec/http/-", value: { route: [{ destination: { host: "z" } }] } }),
      ["+  - route:", "+    - destination:", "+        host: z"],
    ],
    [
      "an item in brackets",
      json({ op: "add", path: "/spec/hosts/0", value: "b.example.com" }),
      ["-  hosts: [reviews]", "+  hosts: [b.example.com, reviews]"],
    ],
    [
      "a field in padded brackets",
      json({ op: "add", path: "/spec/http/1/route/0/destination/subset", value: "v1" }),
      ["-    - destination: { host: reviews }", "+    - destination: { host: reviews, subset: v1 }"],
    ],
    ["a new field", merge({ spec: { gateways: ["mesh", "edge"] } }), ["+  gateways:", "+  - mesh", "+  - edge"]],
    ["a new object", merge({ metadata: { labels: { team: "a" } } }), ["+  labels:", "+    team: a"]],
    ["a field less", merge({ metadata: { namespace: null } }), ["-  namespace: shop"]],
    [
      "the first field of an item less",
      json({ op: "remove", path: "/spec/http/0/name" }),
      ["-  - name: 'canary'", "-    match:", "+  - match:"],
    ],
    ["a list that gets empty", merge({ spec: { hosts: [] } }), ["-  hosts: [reviews]", "+  hosts: []"]],
    [
      "lines for a value in brackets",
      json({ op: "remove", path: "/spec/http/0/route/1" }),
      ["-    - destination:", "-        host: reviews", "-        subset: v1", "-      weight: 90"],
    ],
  ];
  test.each(cases)("%s", (_name, patch, expected) => {
    expect(changes(rule, patch)).toEqual(expected);
  });

  test("a patch without effect gives the same text", () => {
    const patches = [merge({}), json(), merge({ spec: { hosts: ["reviews"] } })];
    for (const patch of patches) {
      expect(patchDocument(stored(rule), patch)).toEqual({ ok: true, text: rule, format: "yaml" });
    }
  });

  test("Windows line ends", () => {
    const text = "a: 1\r\nb:\r\n  - x\r\n";
    expect(patchDocument(stored(text), json({ op: "add", path: "/b/-", value: "z" }))).toMatchObject({
      text: "a: 1\r\nb:\r\n  - x\r\n  - z\r\n",
    });
  });

  test("an alias that changes is written out", () => {
    const text = "# shared\na: &x {m: 1}\nb: *x # same\nc: {<<: *x, m: 2}\n";
    expect(patchDocument(stored(text), merge({ b: { m: 5 } }))).toMatchObject({
      text: "# shared\na: &x {m: 1}\nb: # same\n  m: 5\nc: {<<: *x, m: 2}\n",
    });
  });

  test("JSON is given with two spaces", () => {
    const patch = json({ op: "add", path: "/b", value: [1] });
    expect(patchDocument({ text: '{"a":1}', format: "json", json: '{"a":1}' }, patch)).toEqual({
      ok: true,
      format: "json",
      text: '{\n  "a": 1,\n  "b": [\n    1\n  ]\n}\n',
    });
  });
});

describe("what cannot be applied is told", () => {
  const cases: readonly (readonly [string, DocumentPatch, string])[] = [
    [
      "a test that fails",
      json({ op: "test", path: "/kind", value: "VirtualService" }, { op: "test", path: "/spec/hosts/0", value: "x" }),
      '1: The test of /spec/hosts/0 failed: expected "x", found "reviews".',
    ],
    [
      "a test of what is not there",
      json({ op: "test", path: "/spec/tls", value: null }),
      "0: The test of /spec/tls failed: expected null, found nothing.",
    ],
    ["a place that is not there", json({ op: "remove", path: "/spec/http/2" }), "0: There is no /spec/http/2."],
    ["a parent that is not there", json({ op: "add", path: "/a/b", value: 1 }), "0: There is no /a/b."],
    [
      "an index beyond the end",
      json({ op: "add", path: "/spec/hosts/2", value: "x" }),
      "0: There is no /spec/hosts/2.",
    ],
    [
      "an index with a zero",
      json({ op: "replace", path: "/spec/hosts/00", value: "x" }),
      "0: There is no /spec/hosts/00.",
    ],
    ["the end as a source", json({ op: "remove", path: "/spec/hosts/-" }), "0: There is no /spec/hosts/-."],
    ["an unknown operation", json({ op: "merge", path: "/spec" }), '0: Expected an operation, found "merge".'],
    ["no operation", json([]), "0: Expected an operation, found a list."],
    ["no value", json({ op: "add", path: "/spec/a" }), "0: The operation add needs a value."],
    ["no path", json({ op: "add", value: 1 }), "0: The path of add is no text."],
    ["no pointer", json({ op: "add", path: "spec", value: 1 }), '0: The path of add is no JSON pointer ("spec").'],
    ["a wrong escape", json({ op: "remove", path: "/a~2" }), '0: The path of remove is no JSON pointer ("/a~2").'],
    ["a way to the prototype", json({ op: "add", path: "/__proto__/x", value: 1 }), "0: There is no /__proto__/x."],
    [
      "a way from the constructor",
      json({ op: "copy", from: "/constructor", path: "/x" }),
      "0: There is no /constructor.",
    ],
    [
      "a move into itself",
      json({ op: "move", from: "/spec", path: "/spec/a" }),
      "0: /spec cannot be moved into itself.",
    ],
    ["no list", { kind: "json", operations: {} }, "undefined: A JSON Patch is a list of operations."],
    [
      "too many operations",
      json(...Array.from({ length: 1001 }, () => ({ op: "test", path: "", value: 1 }))),
      "undefined: The patch has 1001 operations; 1000 are the most.",
    ],
    [
      "copies that explode",
      json(...Array.from({ length: 30 }, (_, i) => ({ op: "copy", from: "/spec", path: `/spec/c${i}` }))),
      "16: Up to here the patch compares and copies more than 2000000 values.",
    ],
    [
      "too deep a merge",
      merge(JSON.parse(`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`)),
      "undefined: The patch is nested more than 64 levels deep, or has more than 200000 values.",
    ],
  ];
  test.each(cases)("%s", (_name, patch, expected) => {
    expect(changes(rule, patch)).toEqual([expected]);
  });
});

describe("JSON Patch", () => {
  const cases: readonly (readonly [string, unknown, readonly object[], unknown])[] = [
    ["the whole document", { a: 1 }, [{ op: "replace", path: "", value: { b: 1 } }], { b: 1 }],
    ["a field moves", { a: { x: 1 }, b: {} }, [{ op: "move", from: "/a/x", path: "/b/y" }], { a: {}, b: { y: 1 } }],
    ["an item moves", { a: [1, 2, 3] }, [{ op: "move", from: "/a/0", path: "/a/2" }], { a: [2, 3, 1] }],
    ["a move to its own place", { a: [1, 2] }, [{ op: "move", from: "/a/0", path: "/a/0" }], { a: [1, 2] }],
    ["a copy", { a: [1] }, [{ op: "copy", from: "/a/0", path: "/a/-" }], { a: [1, 1] }],
    ["escaped names", { "a/b~c": 1 }, [{ op: "replace", path: "/a~1b~0c", value: 2 }], { "a/b~c": 2 }],
    ["an empty name", { "": 1, a: 1 }, [{ op: "remove", path: "/" }], { a: 1 }],
    [
      "a name that JavaScript has too",
      { a: {} },
      [{ op: "add", path: "/a/constructor", value: "x" }],
      { a: { constructor: "x" } },
    ],
    [
      "such a name that is there",
      { constructor: { x: 1 } },
      [{ op: "replace", path: "/constructor/x", value: 2 }],
      { constructor: { x: 2 } },
    ],
    [
      "a zero is a zero",
      { a: 0, b: 1 },
      [
        { op: "test", path: "/a", value: -0 },
        { op: "remove", path: "/b" },
      ],
      { a: 0 },
    ],
    ["adding what is there replaces", { a: 1 }, [{ op: "add", path: "/a", value: null }], { a: null }],
    [
      "a test in any order",
      { a: { x: 1, y: [2] } },
      [{ op: "test", path: "/a", value: { y: [2], x: 1 } }],
      { a: { x: 1, y: [2] } },
    ],
  ];
  test.each(cases)("%s", (_name, before, operations, expected) => {
    const result = patchDocument(stored(JSON.stringify(before)), json(...operations));
    expect(result.ok && parseDocuments(result.text)[0]?.value).toEqual(expected);
  });
});

test("a field named __proto__ is a field", () => {
  const document = { text: "a: 1\n", format: "yaml", json: '{"a":1}' } as const;
  const result = patchDocument(document, json({ op: "add", path: "/__proto__", value: { polluted: true } }));
  expect(result).toMatchObject({ text: "a: 1\n__proto__:\n  polluted: true\n" });
  expect({}).not.toHaveProperty("polluted");
});

test("many operations on a list that is too large for them are refused before they are done", () => {
  const text = JSON.stringify({ a: Array.from({ length: 190_000 }, () => 1) });
  const operations = Array.from({ length: 1000 }, () => ({ op: "add", path: "/a/0", value: 2 }));
  expect(patchDocument({ text, format: "json", json: text }, json(...operations))).toEqual({
    ok: false,
    problem: {
      kind: "malformed",
      operation: 10,
      message: "Up to here the patch compares and copies more than 2000000 values.",
      hint: "Send fewer operations on large lists and objects, or put the whole document instead.",
    },
  });
});

test("what only the server says is no part of the document, even where the text has it", () => {
  const text = "a: 1 # A\nstatus:\n  phase: old\nb: 2 # B\n";
  const document = { text, format: "yaml", json: '{"a":1,"b":2}' } as const;
  expect(patchDocument(document, json({ op: "test", path: "/status/phase", value: "old" }))).toMatchObject({
    ok: false,
  });
  expect(patchDocument(document, merge({ a: 3 }))).toMatchObject({ text: "a: 3 # A\nb: 2 # B\n" });
});

describe("merge patch: the examples of RFC 7396", () => {
  const cases: readonly (readonly [unknown, unknown, unknown])[] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{ z: 1 }, { a: { bb: { ccc: null } } }, { z: 1, a: { bb: {} } }],
  ];
  test.each(cases)("%j with %j", (before, patch, expected) => {
    const result = patchDocument(stored(JSON.stringify(before)), merge(patch));
    expect(result.ok && parseDocuments(result.text)[0]?.value).toEqual(expected);
  });
});

describe("any document and any change", () => {
  const name = fc.constantFrom("a", "b", "c", "name", "x-y", "0", "a b", "#", "~");
  const scalar = fc.oneof(
    fc.constantFrom<unknown>(
      "",
      "a",
      "yes",
      "1",
      "a: b",
      "- a",
      "# no",
      "it's",
      'say "hi"',
      "two\nlines\n",
      " x ",
      "[",
      "*a",
      "~",
    ),
    fc.constantFrom<unknown>(null, true, 0, 1, -5, 1.5),
    fc.string({ maxLength: 8 }),
  );
  const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      scalar,
      fc.array(tie("value"), { maxLength: 4 }),
      tie("object"),
    ),
    object: fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  }));
  const document = fc.dictionary(name, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true });
  const style = fc.record({
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
    lineWidth: fc.constantFrom(0, 20),
  });
  /** The same document with some of its parts in brackets, and comments between and behind its lines. */
  const written = fc.record({
    style,
    flow: fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
    comments: fc.infiniteStream(fc.integer({ min: 0, max: 5 })),
  });

  function write(
    data: unknown,
    { style, flow, comments }: { style: object; flow: Iterator<number>; comments: Iterator<number> },
  ): string {
    const yaml = new Document(data);
    visit(yaml, {
      Collection: (_, node) => {
        if (flow.next().value === 0) node.flow = true;
      },
      Pair: (_, { key }) => {
        if (comments.next().value === 0 && isScalar(key)) key.commentBefore = " before";
      },
      Scalar: (at, node) => {
        if (at !== "key" && comments.next().value === 0) node.comment = " behind";
      },
    });
    return yaml.toString(style);
  }

  test("the patched text means the patched data", () => {
    fc.assert(
      fc.property(document, document, written, (before, after, how) => {
        const text = write(before, how);
        fc.pre(isDeepStrictEqual(parseDocuments(text)[0]?.value, before));
        const result = patchDocument(stored(text), json({ op: "replace", path: "", value: after }));
        const [read, second] = result.ok ? parseDocuments(result.text) : [];
        expect(read?.problems).toEqual([]);
        expect(read?.value).toEqual(after);
        expect(second).toBeUndefined();
      }),
    );
  });
});
