/** Before each message: whether it is compressed, in a byte, and its length, in four. */
const prefixBytes = 5;

/** A message as it goes over the wire; room for `length` bytes is left behind the prefix, for the caller to fill. */
export function frameOf(length: number): { readonly framed: Buffer; readonly message: Buffer } {
  const framed = Buffer.allocUnsafe(prefixBytes + length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(length, 1);
  return { framed, message: framed.subarray(prefixBytes) };
}

/** A copy of the message, with its prefix. */
export function frame(bytes: Uint8Array): Buffer {
  const { framed, message } = frameOf(bytes.length);
  message.set(bytes);
  return framed;
}

/** A prefix that announces more than is accepted, or says what gRPC does not know. */
export class FramingError extends Error {
  readonly status: "RESOURCE_EXHAUSTED" | "INTERNAL";

  constructor(status: FramingError["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** Puts messages together out of whatever pieces their bytes come in. */
export interface FrameReader {
  /** Gives on each message that these bytes complete. Throws `FramingError` in the place of one that is not accepted; then it is over. */
  readonly read: (bytes: Buffer) => void;
  /** Whether the bytes so far end within a message. */
  readonly isWithin: () => boolean;
}

/** `maxBytes`: of a message as it comes, without its prefix. A message may share its memory with what came beside it. */
export function createFrameReader(
  maxBytes: number,
  onMessage: (bytes: Buffer, compressed: boolean) => void,
): FrameReader {
  /** The start of a message, and how many bytes are missing before more can be said of it. */
  let parts: Buffer[] = [];
  let missing = 0;

  return {
    read(bytes) {
      let rest = bytes;
      if (missing > 0) {
        parts.push(bytes);
        missing -= bytes.length;
        if (missing > 0) return;
        rest = Buffer.concat(parts);
        parts = [];
      }
      let size = sizeAt(rest, maxBytes);
      while (rest.length >= size) {
        onMessage(rest.subarray(prefixBytes, size), rest[0] === 1);
        rest = rest.subarray(size);
        size = sizeAt(rest, maxBytes);
      }
      missing = rest.length === 0 ? 0 : size - rest.length;
      if (missing > 0) parts.push(rest);
    },
    isWithin: () => missing > 0,
  };
}

/** Bytes of the message at the start, with its prefix; of the prefix alone as long as that is not whole. */
function sizeAt(bytes: Buffer, maxBytes: number): number {
  const mark = bytes[0] ?? 0;
  if (mark > 1)
    throw new FramingError("INTERNAL", `a message begins with ${mark}; expected 0, or 1 if it is compressed`);
  if (bytes.length < prefixBytes) return prefixBytes;
  const length = bytes.readUInt32BE(1);
  if (length <= maxBytes) return prefixBytes + length;
  throw new FramingError("RESOURCE_EXHAUSTED", `Received message larger than max (${length} vs ${maxBytes})`);
}
