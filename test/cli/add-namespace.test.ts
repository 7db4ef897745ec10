import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { addNamespace } from "../../src/cli/add-namespace.ts";

const add = (text: string) => addNamespace(text, "shop", "f.yaml");

describe("the namespace comes first in the metadata, and nothing else changes", () => {
  test.each([
    ["metadata:\n  name: a # mine\nspec: {}\n", 'metadata:\n  namespace: "shop"\n  name: a # mine\nspec: {}\n'],
    ["metadata: { name: a }\n", 'metadata: {"namespace": "shop",  name: a }\n'],
    ['{"metadata":{"name":"a"}}', '{"metadata":{"namespace": "shop", "name":"a"}}'],
    ["metadata: {}\n", 'metadata: {"namespace": "shop"}\n'],
    ["metadata:\n  # a comment\n  name: a\n", 'metadata:\n  # a comment\n  namespace: "shop"\n  name: a\n'],
    ["metadata: { name: a, namespace: bank }\n", "metadata: { name: a, namespace: bank }\n"],
    ["no: metadata\n", "no: metadata\n"],
    ["[broken\n", "[broken\n"],
    ["", ""],
  ])("%j", (text, expected) => {
    expect(add(text).text).toBe(expected);
  });
});

test("where there is no place it is told", () => {
  expect(() => add("a: &x { name: a }\nmetadata: *x\n")).toThrow(/^f\.yaml:1: there is no place for the namespace/);
});

test("lines are those of the author", () => {
  const text = "metadata:\n  name: a\nspec: 1\n---\nmetadata:\n  name: b\nspec: 2\n";
  const { text: sent, originalLine } = add(text);
  const lines = sent.split("\n");
  const authors = text.split("\n");
  for (const [index, line] of lines.entries()) {
    if (!line.includes("namespace")) expect(authors[originalLine(index + 1) - 1]).toBe(line);
  }
  expect(originalLine(lines.findIndex((line) => line.includes("namespace")) + 1)).toBe(2);
});

test("what any documents mean is the same, with a namespace", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const document = fc.record(
    {
      kind: word,
      metadata: fc.record(
        { name: word, namespace: word, labels: fc.dictionary(word, fc.string()) },
        { requiredKeys: ["name"] },
      ),
      spec: fc.jsonValue(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(document, { minLength: 1, maxLength: 3 }), fc.boolean(), (documents, asJson) => {
      const text = documents.map((one) => (asJson ? JSON.stringify(one) : stringify(one))).join("\n---\n");
      const values = parseDocuments(add(text).text).map(({ value }) => value);
      const before = parseDocuments(text).map(({ value }) => value as { readonly metadata: object });
      expect(values).toEqual(before.map((one) => ({ ...one, metadata: { namespace: "shop", ...one.metadata } })));
    }),
    { numRuns: 200 },
  );
});
