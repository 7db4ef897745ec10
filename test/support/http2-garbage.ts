import type { Random } from "./random.ts";

/** What breaks the rules of HTTP/2, for a connection of its own. */

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const frameTypes = { DATA: 0, HEADERS: 1, PRIORITY: 2, RST_STREAM: 3, SETTINGS: 4, PING: 6, WINDOW_UPDATE: 8 } as const;
const continuation = 9;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const settings = frame(frameTypes.SETTINGS, 0, 0, Buffer.alloc(0));
const begun = Buffer.concat([preface, settings]);
const many = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

const garbage: readonly ((random: Random) => Buffer)[] = [
  (random) => random.bytes(random.int(2_000)),
  () => Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"),
  // The beginning of a TLS handshake.
  (random) => Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), random.bytes(300)]),
  (random) => preface.subarray(0, random.int(preface.length)),
  (random) => Buffer.concat([begun, random.bytes(500)]),
  (random) =>
    Buffer.concat([
      begun,
      many(20, () => frame(random.int(14), random.int(256), random.int(20), random.bytes(random.int(60)))),
    ]),
  // Headers whose compression is broken.
  (random) => Buffer.concat([begun, frame(frameTypes.HEADERS, 4, 1, random.bytes(80))]),
  // Headers that never end.
  (random) =>
    Buffer.concat([
      ...[begun, frame(frameTypes.HEADERS, 0, 1, random.bytes(10))],
      many(200, () => frame(continuation, 0, 1, Buffer.alloc(0))),
    ]),
  (random) => Buffer.concat([begun, many(2_000, () => frame(frameTypes.PING, 0, 0, random.bytes(8)))]),
  () => Buffer.concat([begun, many(2_000, () => settings)]),
  // A window beyond its limit.
  () => Buffer.concat([begun, many(4, () => frame(frameTypes.WINDOW_UPDATE, 0, 0, Buffer.from("7fffffff", "hex")))]),
  (random) => Buffer.concat([begun, many(50, (i) => frame(frameTypes.RST_STREAM, 0, 2 * i + 1, random.bytes(4)))]),
  (random) => Buffer.concat([begun, frame(frameTypes.DATA, 0, 1 + random.int(9), random.bytes(50))]),
  // A frame that says it is larger than may be.
  () => Buffer.concat([begun, Buffer.from("ffffff000000000001", "hex")]),
];

/** The bytes of a connection that is none. */
export const http2Garbage = (random: Random): Buffer => random.pick(garbage)(random);
