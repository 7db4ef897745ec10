import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  anything,
  boolean,
  choice,
  type Decoder,
  decode,
  described,
  fail,
  integer,
  list,
  mapOf,
  mapped,
  parsed,
  refined,
  schemaOf,
  stringMap,
  text,
} from "../../src/base/decode.ts";
import { object, oneOfKinds, optional, reply, required, withDefault } from "../../src/base/decode-object.ts";
import { inAnyCase } from "../../src/base/json-schema.ts";

const oneLine = "^[^\\u0000-\\u001f\\u007f]*$";
const small = integer({ min: 0, max: 9 });
const colour = choice({ RED: 1, GREEN: 2 }, { unsupported: ["BLUE"] });
const hex = parsed((digits) => Number.parseInt(digits, 16), "hexadecimal digits", {
  pattern: /^[0-9a-f]+$/,
  maxLength: 4,
});
const word = mapped(hex, (number) => number.toString(16));

describe("what a decoder says that it accepts", () => {
  const cases: readonly (readonly [string, Decoder<unknown>, object])[] = [
    ["anything", anything, {}],
    ["a bare function", (value) => value, {}],
    ["a function that is described", described((value) => value, { type: "string" }), { type: "string" }],
    ["boolean", boolean, { type: "boolean" }],
    ["integer", small, { type: "integer", minimum: 0, maximum: 9 }],
    ["text", text(), { type: "string", minLength: 1, maxLength: 1024, pattern: oneLine }],
    [
      "text of units, which are half a code point",
      text({ minLength: 5 }),
      { type: "string", minLength: 3, maxLength: 1024, pattern: oneLine },
    ],
    ["grammar", hex, { type: "string", minLength: 1, maxLength: 4, pattern: "^[0-9a-f]+$" }],
    [
      "format",
      parsed(Date.parse, "a time", { format: "date-time" }),
      { type: "string", minLength: 1, maxLength: 1024, pattern: oneLine, format: "date-time" },
    ],
    ["choice", colour, { type: "string", enum: ["RED", "GREEN"] }],
    [
      "choice in any case",
      choice({ "a-B": 1, c2: 2 }, { ignoreCase: true }),
      { type: "string", pattern: "^([Aa]-[Bb]|[Cc]2)$" },
    ],
    [
      "list",
      list(small, { min: 1, max: 2 }),
      { type: "array", items: { type: "integer", minimum: 0, maximum: 9 }, minItems: 1, maxItems: 2 },
    ],
    [
      "map",
      mapOf(boolean, { name: word, max: 5 }),
      {
        type: "object",
        additionalProperties: { type: "boolean" },
        propertyNames: { type: "string", minLength: 1, maxLength: 4, pattern: "^[0-9a-f]+$" },
        maxProperties: 5,
      },
    ],
    [
      "refined",
      refined(list(boolean), () => {}, { uniqueItems: true }),
      { type: "array", items: { type: "boolean" }, maxItems: 10_000, uniqueItems: true },
    ],
    ["mapped", mapped(boolean, Number), { type: "boolean" }],
    [
      "object: a field that may be absent may be null",
      object(
        {
          a: required(boolean),
          b: optional(boolean),
          c: withDefault(colour, 1),
          d: withDefault(list(boolean), []),
          e: optional(anything),
        },
        { unsupported: ["u"], dropped: ["w"], ignored: ["x"] },
      ),
      {
        type: "object",
        properties: {
          a: { type: "boolean" },
          b: { type: ["boolean", "null"] },
          // The default is no value that a document could have: it is left out.
          c: { type: ["string", "null"], enum: ["RED", "GREEN", null] },
          d: { type: ["array", "null"], items: { type: "boolean" }, maxItems: 10_000, default: [] },
          e: {},
          w: { deprecated: true },
          x: {},
        },
        required: ["a"],
        additionalProperties: false,
      },
    ],
    [
      "open object",
      object({ a: optional(boolean) }, { open: true }),
      { type: "object", properties: { a: { type: ["boolean", "null"] } } },
    ],
    [
      "reply: what is absent is never null",
      reply({ a: optional(boolean), b: required(boolean) }),
      { type: "object", properties: { a: { type: "boolean" }, b: { type: "boolean" } }, required: ["b"] },
    ],
  ];
  test.each(cases)("%s", (_name, decoder, schema) => {
    expect(schemaOf(decoder)).toEqual(schema);
  });

  test("one object a decoder, whenever it is asked, so that a schema can be named", () => {
    const item = reply({ a: required(small) });
    expect(schemaOf(item)).toBe(schemaOf(item));
    expect(schemaOf(reply({ item: optional(item) })).properties?.["item"]).toBe(schemaOf(item));
  });
});

describe("one of several kinds", () => {
  const shape = oneOfKinds<{ readonly kind: string }>("kind", {
    circle: reply({ kind: required(choice({ circle: "circle" })), radius: required(small) }),
    square: reply({ kind: required(choice({ square: "square" })), side: required(small) }),
  });

  test("is decoded by its own decoder", () => {
    expect(decode(shape, { kind: "square", side: 2 })).toMatchObject({ ok: true, value: { kind: "square", side: 2 } });
    expect(decode(shape, { kind: "square", radius: 2 })).toMatchObject({ ok: false, problems: [{ pointer: "/side" }] });
  });

  test.each([[{ kind: "cube" }], [{}], [7]])("%j is none", (value) => {
    expect(decode(shape, value).ok).toBe(false);
  });

  test("its schema lists them", () => {
    expect(schemaOf(shape).oneOf).toHaveLength(2);
  });
});

test("a text in any case", () => {
  const grammar = new RegExp(`^${inAnyCase("gRPC-Web_2.x")}$`, "u");
  expect(grammar.source).toBe("^[Gg][Rr][Pp][Cc]-[Ww][Ee][Bb]_2\\.[Xx]$");
  expect(["GRPC-WEB_2.X", "grpc-web_2.x", "grpc-web_2-x"].map((name) => grammar.test(name))).toEqual([
    true,
    true,
    false,
  ]);
});

/** A decoder of some shape, with values that are near to what it takes. */
interface Sample {
  readonly decoder: Decoder<unknown>;
  readonly value: fc.Arbitrary<unknown>;
}

const wild = fc.oneof(
  fc.constantFrom<unknown>(null, true, "", "a", "RED", "red", "\u212a", "\ud800", "\n", "💡", 0, 1.5, -1, 10, [], {}),
  fc.string({ maxLength: 4, unit: "binary" }),
);
const leaves: readonly Sample[] = [
  { decoder: boolean, value: fc.boolean() },
  { decoder: small, value: fc.integer({ min: -1, max: 10 }) },
  { decoder: text({ minLength: 2, maxLength: 4 }), value: fc.string({ maxLength: 5, unit: "binary" }) },
  { decoder: text({ minLength: 0, maxLength: 4, multiline: true }), value: fc.string({ maxLength: 5 }) },
  { decoder: hex, value: fc.constantFrom("0", "ff", "g", "00000") },
  { decoder: colour, value: fc.constantFrom("RED", "red", "BLUE") },
  { decoder: choice({ K: 1, ok: 2 }, { ignoreCase: true }), value: fc.constantFrom("k", "K", "\u212a", "OK", "o") },
  { decoder: stringMap, value: fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 })) },
];
const near = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: wild });

const sample: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...leaves),
    tie("sample").map(({ decoder, value }) => ({
      decoder: list(decoder, { min: 1, max: 3 }),
      value: fc.array(near(value), { maxLength: 4 }),
    })),
    tie("sample").map(({ decoder, value }) => ({
      decoder: mapOf(decoder, { name: word, max: 2 }),
      value: fc.dictionary(fc.constantFrom("1", "a", "g"), near(value), { maxKeys: 3 }),
    })),
    fc.record({ a: tie("sample"), b: tie("sample"), c: tie("sample") }).map(({ a, b, c }) => ({
      decoder: object(
        { a: required(a.decoder), b: optional(b.decoder), c: withDefault(c.decoder, undefined) },
        { dropped: ["d"] },
      ),
      value: fc
        .record({ a: near(a.value), b: near(b.value), c: near(c.value), d: wild, e: wild }, { requiredKeys: ["a"] })
        .map(({ e, ...rest }) => (e === "a" ? { ...rest, e } : rest)),
    })),
    tie("sample").map(({ decoder, value }) => ({
      decoder: refined(decoder, (given, site) => {
        if (given === 7) fail(site, "conflict", "It is seven.");
      }),
      value,
    })),
  ),
})).sample;

test("every value that is accepted is valid", () => {
  const counts = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(
      sample.chain(({ decoder, value }) => fc.tuple(fc.constant(decoder), near(value))),
      ([decoder, value]) => {
        const accepted = decode(decoder, value).ok;
        counts[accepted ? "accepted" : "refused"] += 1;
        const validate = new Ajv2020({ strict: true }).compile(schemaOf(decoder));
        if (accepted) expect(validate(value), JSON.stringify([schemaOf(decoder), value])).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
  expect(counts.accepted).toBeGreaterThan(20);
});
