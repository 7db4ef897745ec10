import { flag, frameType, headerBytes } from "./frames.ts";

/** What is done with frames as they come. */
export interface FrameSink {
  /** A part of a DATA payload; only valid during the call. */
  readonly data: (chunk: Buffer, from: number, to: number) => void;
  /** Any other frame, whole. */
  readonly control: (type: number, flags: number, payload: Buffer, stream: number) => void;
}

/** Cuts a connection's bytes into frames, however they are cut into chunks. DATA is passed on as it comes, without a copy. */
export function createFrameReader(sink: FrameSink): (chunk: Buffer) => void {
  const header = Buffer.alloc(headerBytes);
  let headerHas = 0;
  let left = 0;
  let payload: Buffer | undefined;

  const begin = (): void => {
    left = header.readUIntBE(0, 3);
    const [type = 0, flags = 0] = [header[3], header[4]];
    if (type !== frameType.data) payload = Buffer.allocUnsafe(left);
    else if ((flags & flag.padded) !== 0) throw new Error("the server pads its frames, which the bench does not read");
  };

  const end = (): void => {
    headerHas = 0;
    if (payload === undefined) return;
    const whole = payload;
    payload = undefined;
    sink.control(header[3] ?? 0, header[4] ?? 0, whole, header.readUInt32BE(5) & 0x7fff_ffff);
  };

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (headerHas < headerBytes) {
        const taken = chunk.copy(header, headerHas, at, at + headerBytes - headerHas);
        headerHas += taken;
        at += taken;
        if (headerHas < headerBytes) return;
        begin();
      }
      const to = Math.min(chunk.length, at + left);
      if (payload !== undefined) chunk.copy(payload, payload.length - left, at, to);
      else if (to > at) sink.data(chunk, at, to);
      left -= to - at;
      at = to;
      if (left === 0) end();
    }
  };
}
