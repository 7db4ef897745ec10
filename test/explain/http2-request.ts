/* As much of HTTP/2 as it takes to send one GET on a connection, and to know the end of its answer. */

interface Get {
  readonly authority: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4 } as const;
const endStream = 1;
const endHeaders = 4;
const ourStream = 1;

/** What a client sends that knows beforehand that the server speaks HTTP/2. */
export function http2Request({ authority, path, headers }: Get): Buffer {
  const pseudo = Object.entries({ ":method": "GET", ":scheme": "http", ":authority": authority, ":path": path });
  const block = Buffer.concat([...pseudo, ...headers].map(([name, value]) => literal(name, value)));
  return Buffer.concat([
    Buffer.from(preface),
    frame(frameTypes.settings, 0, 0, Buffer.alloc(0)),
    frame(frameTypes.headers, endStream + endHeaders, ourStream, block),
  ]);
}

/** Whether our stream has ended in what a server has sent so far. */
export function isAnswered(received: Buffer): boolean {
  for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received.readUInt32BE(at + 5) !== ourStream) continue;
    const type = received[at + 3];
    const isLast = type === frameTypes.data || type === frameTypes.headers;
    if (type === frameTypes.reset || (isLast && (received.readUInt8(at + 4) & endStream) !== 0)) return true;
  }
  return false;
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header that no table is to keep. */
const literal = (name: string, value: string): Buffer => Buffer.concat([Buffer.of(0), text(name), text(value)]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length >= 127) throw new RangeError(`too long for these tests: ${value}`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
