import { expect, test } from "vitest";
import { releaseInDump } from "../../src/envoy/config-dump.ts";
import { semanticsOf, semanticsOfClient } from "../../src/explain/semantics.ts";

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

test("who is no Envoy has no releases of it", () => {
  expect(semanticsOfClient({ name: "envoy", version: "1.36.4" })).toBe(semanticsOf("1.36.4"));
  expect(semanticsOfClient({ name: "gRPC Go", version: "1.14.1" })).toBe(semanticsOf(undefined));
});

test("a dump says which release made it", () => {
  const version = { major_number: 1, minor_number: 36, patch: 4 };
  const dumpOf = (node: object) => ({ configs: [{ listeners: [] }, { bootstrap: { node: { id: "a", ...node } } }] });
  expect(releaseInDump(dumpOf({ user_agent_build_version: { version } }))).toBe("1.36.4");
  // What is 0 is left out of proto JSON.
  const { patch: _, ...first } = version;
  expect(releaseInDump(dumpOf({ user_agent_build_version: { version: first } }))).toBe("1.36.0");
  expect(releaseInDump(dumpOf({}))).toBeUndefined();
});
