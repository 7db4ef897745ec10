import fc from "fast-check";
import { expect, test } from "vitest";
import { nearest } from "../../src/base/nearest.ts";

const names = ["hosts", "http", "gateways", "exportTo", "tls", "tcp"];

test.each([
  ["hots", "hosts"],
  ["host", "hosts"],
  ["htpp", "http"],
  ["GATEWAYS", "gateways"],
  ["gatways", "gateways"],
  ["export_to", "exportTo"],
  ["tlss", "tls"],
  ["retries", undefined],
  ["", undefined],
  ["x", undefined],
])("%j is most likely %j", (word, expected) => {
  expect(nearest(word, names)).toBe(expected);
});

test("of equally near names the first wins; without names there is none", () => {
  expect(nearest("b", ["a", "c"])).toBe("a");
  expect(nearest("hosts", [])).toBeUndefined();
});

test("a name is nearest to itself, and one swapped pair does not matter", () => {
  fc.assert(
    fc.property(fc.constantFrom("virtualservice", "destination", "percentage"), fc.nat(8), (name, at) => {
      const swapped = name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2);
      expect(nearest(name, ["weight", name, "match"])).toBe(name);
      expect(nearest(swapped, ["weight", name, "match"])).toBe(name);
    }),
  );
});
