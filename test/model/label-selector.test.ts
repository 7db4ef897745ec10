import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLabelSelector, selectsLabels } from "../../src/model/label-selector.ts";

const labels = { app: "reviews", version: "v1", "example.com/tier": "", empty: "" };

test.each([
  ["", true],
  ["app=reviews", true],
  ["app==reviews", true],
  ["app = reviews , version=v1", true],
  ["app!=reviews", false],
  ["nothing!=reviews", true],
  ["version in (v1,v2)", true],
  ["version in ( v2 , v3 )", false],
  ["version in(v1)", true],
  ["version notin (v2)", true],
  ["nothing notin (v2)", true],
  ["app", true],
  ["!app", false],
  ["! nothing", true],
  ["example.com/tier", true],
  ["empty=", true],
  ["empty in (,a)", true],
  ["app=", false],
  ["in in (in)", false],
  ["app,!nothing,version=v1", true],
  ["toString", false],
])("%j selects: %s", (text, selected) => {
  expect(selectsLabels(parseLabelSelector(text) ?? expect.fail(), labels)).toBe(selected);
});

test.each([
  "=a",
  "app=a=b",
  "app in v1",
  "app in (a",
  "app notin ()x",
  "app,",
  ",app",
  "!app=a",
  "a b",
  "-a",
  "a=-",
  "app>1",
  "((",
  "a".repeat(5_000),
  Array(100).fill("a").join(),
])("%j is no selector", (text) => {
  expect(parseLabelSelector(text)).toBeUndefined();
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/);
const requirement = fc.oneof(
  fc.record({
    kind: fc.constantFrom("in" as const, "not-in" as const),
    label: word,
    values: fc.array(word, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constantFrom("exists" as const, "absent" as const), label: word }),
);

test("what is written down is read the same", () => {
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 5 }), (wanted) => {
      const text = wanted.map((one) => {
        if (!("values" in one)) return `${one.kind === "absent" ? "!" : ""}${one.label}`;
        return `${one.label} ${one.kind === "in" ? "in" : "notin"} (${one.values.join(", ")})`;
      });
      const expected = wanted.map((one) => ("values" in one ? { ...one, values: new Set(one.values) } : one));
      expect(parseLabelSelector(text.join(","))).toEqual(expected);
    }),
  );
});

test("any text is read or refused, quickly", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."ab=!(), in\t/.-"), maxLength: 200 }),
      (text) => void parseLabelSelector(text),
    ),
  );
});
