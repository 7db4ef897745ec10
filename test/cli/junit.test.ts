import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { junitReport } from "../../src/cli/junit.ts";
import type { SuiteResult, TestResult } from "../../src/cli/route-test-results.ts";
import { readXml } from "../support/xml.ts";

const result = (part: Partial<TestResult>): TestResult => ({
  ...{ name: "a", line: 3, column: 5, verdict: "passed", failures: [], unseen: [], ms: 2 },
  ...part,
});

const report = (tests: readonly TestResult[], suite: Partial<SuiteResult> = {}) =>
  readXml(junitReport([{ name: "t.yaml", file: "t.yaml", tests, ...suite }], { blind: "is not seen", ms: 1_234 }));

test("numbers, places and reasons", () => {
  const failure = { pointer: "/x", line: 4, column: 7, message: "not so", origins: [] };
  const behind = { kind: "setting", name: "x" } as const;
  const xml = report([
    result({ name: "good", unseen: ["rule"] }),
    result({ name: "bad", verdict: "failed", failures: [{ ...failure, origins: [behind] }, failure], ms: 10 }),
    result({ name: "none", verdict: "skipped", reason: "why", unseen: ["rule"] }),
  ]);
  const sums = { tests: "3", failures: "1", errors: "0", skipped: "1" };
  expect(xml).toMatchObject({ name: "testsuites", attributes: { ...sums, time: "1.234" } });
  const [suite] = xml.children;
  expect(suite?.attributes).toEqual({ name: "t.yaml", file: "t.yaml", ...sums, time: "0.014" });
  const place = { classname: "t.yaml", file: "t.yaml", line: "3" };
  expect(suite?.children.map(({ name, attributes }) => [name, attributes])).toEqual([
    ["testcase", { name: "good", ...place, time: "0.002" }],
    ["testcase", { name: "bad", ...place, time: "0.010" }],
    ["testcase", { name: "none", ...place, time: "0.002" }],
  ]);
  expect(suite?.children.map(({ children }) => children)).toEqual([
    [{ name: "system-out", attributes: {}, children: [], text: "rule is not seen" }],
    [
      {
        name: "failure",
        attributes: { message: "not so, and 1 more", type: "expectation" },
        children: [],
        text: "t.yaml:4:7: not so\n  default: x\nt.yaml:4:7: not so",
      },
    ],
    [{ name: "skipped", attributes: { message: "why" }, children: [], text: "" }],
  ]);
});

/** What XML has no way to write. */
const readable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters
  text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");

describe("whatever texts there are, they are read as they were", () => {
  const anyText = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom("<", ">", "&", '"', "'", "]]>", "\r", "\n", "\t", "\u0000", "\ud800", "é", "&amp;"),
    }),
  );

  test("as names and messages", () => {
    fc.assert(
      fc.property(anyText, anyText, (name, message) => {
        const failures = [{ pointer: "", line: 1, column: 1, message, origins: [] }];
        const [testcase] =
          report([result({ name, verdict: "failed", failures })], { name }).children[0]?.children ?? [];
        expect(testcase?.attributes).toMatchObject({ name: readable(name), classname: readable(name) });
        expect(testcase?.children[0]?.attributes["message"]).toBe(readable(message));
        expect(testcase?.children[0]?.text).toBe(`t.yaml:1:1: ${readable(message)}`);
      }),
    );
  });

  test.each([
    "<a>&</a>",
    '<a b="<"/>',
    "<a>\u0001</a>",
    "<a><b></a></b>",
    "<a>&nothing;</a>",
    "<a/><b/>",
    '<a b="" b=""/>',
  ])("the reader refuses %j", (broken) => {
    expect(() => readXml(`<?xml version="1.0" encoding="UTF-8"?>${broken}`)).toThrow();
  });
});
