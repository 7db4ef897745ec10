import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFrameReader, FramingError, frame, frameOf } from "../../../src/xds/grpc/framing.ts";

interface Read {
  readonly messages: readonly string[];
  readonly error?: string;
  readonly within: boolean;
}

function readAll(pieces: readonly Uint8Array[], maxBytes = 1_000): Read {
  const messages: string[] = [];
  const reader = createFrameReader(maxBytes, (bytes, compressed) =>
    messages.push(`${compressed ? "compressed " : ""}${bytes.toString("hex")}`),
  );
  try {
    for (const piece of pieces) reader.read(Buffer.from(piece));
  } catch (cause) {
    if (!(cause instanceof FramingError)) throw cause;
    return { messages, error: `${cause.status}: ${cause.message}`, within: reader.isWithin() };
  }
  return { messages, within: reader.isWithin() };
}

/** The bytes cut at these places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe("messages behind a prefix", () => {
  test("come out as they went in, in whatever pieces their bytes come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (messages, places) => {
          const bytes = Buffer.concat(messages.map(frame));
          const expected = messages.map((message) => Buffer.from(message).toString("hex"));
          expect(readAll(cut(bytes, places))).toEqual({ messages: expected, within: false });
        },
      ),
    );
  });

  test("the bytes may end anywhere: what is not whole is not given, and known to be missing", () => {
    const bytes = Buffer.concat([frame(Buffer.from("one")), frame(Buffer.from("three"))]);
    const ends = Array.from({ length: bytes.length }, (_, end) => readAll([bytes.subarray(0, end)]));
    expect(ends.map(({ messages }) => messages.length)).toEqual([...Array(8).fill(0), ...Array(10).fill(1)]);
    expect(ends.flatMap(({ within }, end) => (within ? [] : [end]))).toEqual([0, 8]);
  });

  test("the limit is for the message alone, and tells before its bytes have come", () => {
    expect(readAll([frame(Buffer.alloc(10))], 10).messages).toHaveLength(1);
    const long = frame(Buffer.alloc(11));
    for (const pieces of [[long], [long.subarray(0, 5)], [long.subarray(0, 3), long.subarray(3, 5)]]) {
      expect(readAll(pieces, 10)).toMatchObject({
        messages: [],
        error: "RESOURCE_EXHAUSTED: Received message larger than max (11 vs 10)",
      });
    }
  });

  test("what is wrong comes after what was right", () => {
    const bytes = Buffer.concat([frame(Buffer.from("a")), Buffer.of(7, 0, 0, 0, 0)]);
    expect(readAll([bytes])).toMatchObject({
      messages: ["61"],
      error: "INTERNAL: a message begins with 7; expected 0, or 1 if it is compressed",
    });
  });

  test("a compressed one is given as it is, and marked", () => {
    expect(readAll([Buffer.from("0100000002abcd", "hex")]).messages).toEqual(["compressed abcd"]);
  });

  test("a frame may be filled later", () => {
    const { framed, message } = frameOf(3);
    message.set(Buffer.from("abc"));
    expect(framed).toEqual(frame(Buffer.from("abc")));
    expect(framed.toString("hex")).toBe("0000000003616263");
  });
});
