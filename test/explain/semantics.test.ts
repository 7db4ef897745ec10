import { expect, test } from "vitest";
import { semanticsOf } from "../../src/explain/semantics.ts";

/* What is told apart within a line; what the lines of the tests mean is held to Envoys of them. */

test.each([
  ["1.35.9", false],
  ["1.36.9", false],
  ["1.36.10", true],
  ["1.37.5", false],
  ["1.37.6", true],
  ["1.38.3", false],
  ["1.38.4", true],
  ["1.39.0", false],
  ["1.39.1", true],
  ["1.40.0", true],
])("%s has the security fix about parameters in paths: %s", (version, isFixed) => {
  const { parametersBySegment, dotsWithParameters } = semanticsOf(version);
  expect([parametersBySegment, dotsWithParameters]).toEqual([isFixed, isFixed]);
});

test("an older line with a fix is an older line else, and who gives no version is as the newest", () => {
  const { parametersBySegment, dotsWithParameters, ...older } = semanticsOf("1.36.4");
  expect(semanticsOf("1.36.10")).toEqual({ ...older, parametersBySegment: true, dotsWithParameters: true });
  expect(semanticsOf(undefined)).toBe(semanticsOf("1.40.0"));
  expect(semanticsOf("1.37.5")).toEqual(semanticsOf("1.36.4"));
});
