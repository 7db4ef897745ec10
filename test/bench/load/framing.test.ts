import { describe, expect, test } from "vitest";
import { createFrameReader } from "./frame-reader.ts";
import { dataFrames, flag, frame, frameType, grpcPrefix, headerBytes, initialWindowIn, maxPayload } from "./frames.ts";
import { type Arrival, createMessageReader } from "./message-reader.ts";

/** Feeds the bytes in chunks of this size. */
function inChunks(bytes: Buffer, size: number, feed: (chunk: Buffer) => void): void {
  for (let at = 0; at < bytes.length; at += size) feed(Buffer.from(bytes.subarray(at, at + size)));
}

const chunkSizes = [1, 2, 7, 1_000, 1_000_000];

describe.each(chunkSizes)("in chunks of %i", (size) => {
  test("frames are told apart", () => {
    const seen: string[] = [];
    const read = createFrameReader({
      data: (chunk, from, to) => seen.push(chunk.toString("latin1", from, to)),
      control: (type, flags, payload, stream) => seen.push(`[${type} ${flags} ${payload.toString("hex")} ${stream}]`),
    });
    const bytes = Buffer.concat([
      frame(frameType.settings, flag.ack, 0, Buffer.alloc(0)),
      frame(frameType.data, 0, 1, Buffer.from("hello ")),
      frame(frameType.windowUpdate, 0, 1, Buffer.from("000003e8", "hex")),
      frame(frameType.data, 0, 1, Buffer.alloc(0)),
      frame(frameType.data, 0, 1, Buffer.from("world")),
    ]);
    inChunks(bytes, size, read);
    const text = seen.join("");
    expect(text.replace(/\[[^\]]*\]/g, "")).toBe("hello world");
    expect(seen.filter((one) => one.startsWith("["))).toEqual(["[4 1  0]", "[8 0 000003e8 1]"]);
  });

  test.each([0, 1_000_000])("messages are told apart; whole up to %i bytes", (wholeUpTo) => {
    const first = response("v1", "n1", [resource("a", 10), resource("b", 40_000)], ["gone"]);
    const second = response("v2", "n2", [], []);
    const messages = Buffer.concat([first, second].flatMap((message) => [grpcPrefix(message.length), message]));
    const seen: Arrival[] = [];
    const onResponse = (arrival: Arrival) => seen.push({ ...arrival });
    const take = createMessageReader({ variant: "delta", wholeUpTo, onResponse });
    inChunks(messages, size, (chunk) => take(chunk, 0, chunk.length));
    expect(
      seen.map(({ version, nonce, typeUrl, resources, removed, bytes }) => [
        version,
        nonce,
        typeUrl,
        resources,
        removed,
        bytes,
      ]),
    ).toEqual([
      ["v1", "n1", "some.type/Url", 2, 1, first.length + 5],
      ["v2", "n2", "some.type/Url", 0, 0, second.length + 5],
    ]);
    expect(seen.map(({ whole }) => whole !== undefined)).toEqual(wholeUpTo === 0 ? [false, false] : [true, true]);
  });
});

test("a payload goes in frames that every peer takes", () => {
  const payload = Buffer.alloc(2 * maxPayload + 5, 1);
  const frames = dataFrames(payload);
  expect(frames.map(({ length }) => length - headerBytes)).toEqual([maxPayload, maxPayload, 5]);
  expect(Buffer.concat(frames.map((each) => each.subarray(headerBytes)))).toEqual(payload);
});

test("the initial window is found among settings", () => {
  expect(initialWindowIn(Buffer.from("000300000064" + "000400ffffff", "hex"))).toBe(0xffffff);
  expect(initialWindowIn(Buffer.alloc(0))).toBeUndefined();
});

function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.of((number << 3) | 2), Buffer.from(length), bytes]);
}

const resource = (name: string, bytes: number): Buffer =>
  Buffer.concat([
    field(1, Buffer.from("r1")),
    field(2, field(2, Buffer.alloc(bytes, 65))),
    field(3, Buffer.from(name)),
  ]);

const response = (version: string, nonce: string, resources: readonly Buffer[], removed: readonly string[]): Buffer =>
  Buffer.concat([
    field(1, Buffer.from(version)),
    ...resources.map((each) => field(2, each)),
    field(4, Buffer.from("some.type/Url")),
    field(5, Buffer.from(nonce)),
    ...removed.map((name) => field(6, Buffer.from(name))),
  ]);
