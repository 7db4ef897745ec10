/* The little of HTTP/2 (RFC 9113) that a client with one long stream on a connection needs. Its stream is always number 1. */

export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

export const flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;

export const streamId = 1;
export const headerBytes = 9;
/** What a peer takes without having said otherwise. */
export const maxPayload = 16_384;
export const firstWindow = 65_535;

/** Envoy's defaults for the streams to its control plane. */
export const receiveWindows = { stream: 16 * 1024 * 1024, connection: 24 * 1024 * 1024 } as const;

const initialWindowSize = 4;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, headerBytes);
  return bytes;
}

function settingsPayload(settings: Readonly<Record<number, number>>): Buffer {
  const entries = Object.entries(settings);
  const payload = Buffer.alloc(6 * entries.length);
  for (const [index, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(Number(id), 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return payload;
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(frameType.windowUpdate, 0, stream, payload);
}

export const settingsAck = frame(frameType.settings, flag.ack, 0, new Uint8Array());

/** The value of SETTINGS_INITIAL_WINDOW_SIZE in a SETTINGS payload, where it is there. */
export function initialWindowIn(payload: Buffer): number | undefined {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    if (payload.readUInt16BE(at) === initialWindowSize) return payload.readUInt32BE(at + 2);
  }
  return undefined;
}

/** Everything that a connection begins with, up to the headers of its one request. */
export function greeting(path: string): Buffer {
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(frameType.settings, 0, 0, settingsPayload({ 2: 0, [initialWindowSize]: receiveWindows.stream })),
    windowUpdate(0, receiveWindows.connection - firstWindow),
    frame(frameType.headers, flag.endHeaders, streamId, headerBlock(path)),
  ]);
}

/** Each field as a literal that is not indexed and not compressed (RFC 7541, 6.2.2), so that the block needs no state. */
function headerBlock(path: string): Buffer {
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "fairway-bench"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ["user-agent", "fairway-bench"],
  ] as const;
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 126) throw new Error(`a header of ${bytes.length} bytes needs a longer length`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/** The payload as DATA frames of the largest size that every peer takes. */
export function dataFrames(payload: Uint8Array): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < payload.length; at += maxPayload) {
    frames.push(frame(frameType.data, 0, streamId, payload.subarray(at, at + maxPayload)));
  }
  return frames;
}

/** The five bytes before each gRPC message. */
export function grpcPrefix(messageBytes: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(messageBytes, 1);
  return prefix;
}
