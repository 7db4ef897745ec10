import fc from "fast-check";
import { expect, test } from "vitest";
import { createListSplitter } from "../../src/kube/list-splitter.ts";

/** Takes a text apart in chunks that end at these places, which may be in the middle of a character. */
function split(text: string, places: readonly number[]) {
  const { push, rest } = createListSplitter(10_000, 10_000);
  const bytes = Buffer.from(text);
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  return { objects: chunks.flatMap(push).map((object) => JSON.parse(object)), rest: JSON.parse(rest()) };
}

const data = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 3 }));
const cuts = fc.array(fc.nat());

test("objects and the rest come out as they are, wherever the list was cut and however it is written", () => {
  fc.assert(
    fc.property(data, fc.array(data), data, cuts, fc.boolean(), (before, items, after, places, isWide) => {
      const list = { ...before, metadata: before, items, after };
      const text = JSON.stringify(list, undefined, isWide ? 2 : 0);
      const found = split(text, places);
      expect(found.objects).toEqual(JSON.parse(JSON.stringify(items)));
      expect(found.rest).toEqual(JSON.parse(JSON.stringify({ ...list, items: [] })));
    }),
  );
});

test.each<[string, readonly unknown[]]>([
  ['{"metadata":{"items":[{"a":1}]},"items":[{"b":2}]}', [{ b: 2 }]],
  [
    '{"items":[{"items":[{"x":"]}"}]},{"y":"\\\\"}],"metadata":{"continue":"items"}}',
    [{ items: [{ x: "]}" }] }, { y: "\\" }],
  ],
  ['{"kind":"items","other":[1,2],"items":[]}', []],
  ['{"items":null,"metadata":{}}', []],
])("%s", (text, objects) => {
  const places = Array.from({ length: text.length }, (_, at) => at);
  for (const cutAt of [[], ...places.map((at) => [at]), places]) {
    const found = split(text, cutAt);
    expect(found.objects).toEqual(objects);
    expect(found.rest).toEqual({ ...JSON.parse(text), ...(objects.length > 0 && { items: [] }) });
  }
});

test.each([
  ['{"items":[1]}', "what is no object"],
  ['{"items":["a"]}', "what is no object"],
  ['{"items":[[{}]]}', "a list in a list"],
  [`{"items":[{"a":"${"x".repeat(100)}"}]}`, "one object of more than 50 bytes"],
  [`{"a":"${"x".repeat(100)}"}`, "more than 50 bytes beside the objects"],
])("%s is refused", (text, message) => {
  const { push } = createListSplitter(50, 50);
  expect(() => Array.from(Buffer.from(text)).map((byte) => push(Buffer.of(byte)))).toThrow(message);
});
