import fc from "fast-check";
import { expect, test } from "vitest";
import { createLineSplitter } from "../../src/kube/lines.ts";

/** Cuts bytes at these places, which may be in the middle of a character. */
function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

test("lines come out whole, wherever the stream was cut", () => {
  const line = fc.string({ unit: "binary", maxLength: 40 }).filter((text) => text !== "" && !text.includes("\n"));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
      const { push, begun } = createLineSplitter(1_000);
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
      const wanted = lines.map((text) => Buffer.from(text).toString("utf8"));
      expect(cutAt(bytes, places).flatMap(push)).toEqual(wanted);
      expect(begun()).toBe(0);
    }),
  );
});

test("empty lines are none, and what has begun is counted", () => {
  const { push, begun } = createLineSplitter(100);
  expect(push(Buffer.from("\n\none\n\ntw"))).toEqual(["one"]);
  expect(begun()).toBe(2);
  expect(push(Buffer.from("o\n"))).toEqual(["two"]);
});

test.each([
  ["in one chunk", ["123456\n"]],
  ["in several", ["123", "456"]],
])("a line that is too long is refused before it is gathered, %s", (_, chunks) => {
  const { push } = createLineSplitter(5);
  expect(push(Buffer.from("12345\n"))).toEqual(["12345"]);
  expect(() => chunks.map((chunk) => push(Buffer.from(chunk)))).toThrow("more than 5 bytes");
});
