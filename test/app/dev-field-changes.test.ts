import fc from "fast-check";
import { expect, test } from "vitest";
import { fieldChanges } from "../../src/app/dev/field-changes.ts";

test.each<[string, unknown, unknown, readonly unknown[]]>([
  ["nothing", { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
  ["a value", { a: { b: 1 } }, { a: { b: 2 } }, [{ pointer: "/a/b", before: 1, after: 2 }]],
  ["one of a list", [1, 2, 3], [1, 4, 3], [{ pointer: "/1", before: 2, after: 4 }]],
  ["a longer list", { a: [1] }, { a: [1, 2] }, [{ pointer: "/a", before: [1], after: [1, 2] }]],
  ["a field more", {}, { "a/b": 1 }, [{ pointer: "/a~1b", before: undefined, after: 1 }]],
  ["a field less", { a: 1 }, {}, [{ pointer: "/a", before: 1, after: undefined }]],
  ["another type", { a: {} }, { a: [] }, [{ pointer: "/a", before: {}, after: [] }]],
  ["null", { a: null }, { a: {} }, [{ pointer: "/a", before: null, after: {} }]],
])("%s", (_, before, after, changes) => {
  expect(fieldChanges(before, after)).toEqual(changes);
});

test("equal values differ nowhere, others somewhere", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(fieldChanges(a, structuredClone(a))).toEqual([]);
      // JSON knows no -0.
      const differ = JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b));
      if (differ) expect(fieldChanges(a, b).length).toBeGreaterThan(0);
    }),
  );
});

/** With the fields of objects in one order. */
const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .map(([name, item]) => [name, sorted(item)])
            .sort(([x], [y]) => (String(x) < String(y) ? -1 : 1)),
        )
      : value;
