import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { problemCodes } from "../../src/api/problem.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const [, problems = ""] = page.split(/^# Problems of the API$/m);
const sections = problems
  .split(/^### /m)
  .slice(1)
  .map((section) => ({
    code: section.slice(0, section.indexOf("\n")),
    text: section.slice(section.indexOf("\n")).trim(),
  }));

test("docs/errors.md has one section for each problem, in the same order, with its status", () => {
  const wanted = Object.entries(problemCodes).map(([code, { status }]) => `${code} ${status}`);
  expect(sections.map(({ code, text }) => `${code} ${text.slice(0, 3)}`)).toEqual(wanted);
});

test.each(sections)("$code is explained", ({ text }) => {
  expect(text.length).toBeGreaterThan(60);
});
