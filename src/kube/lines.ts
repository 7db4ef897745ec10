import { KubeFailure } from "./failure.ts";

/** Puts the lines of a stream together. */
export interface LineSplitter {
  /** The lines that this chunk completes, without their ends; empty ones are left out. Throws KubeFailure for one that is too long. */
  readonly push: (chunk: Buffer) => readonly string[];
  /** Bytes of the line that has begun. */
  readonly begun: () => number;
}

/** Splits before it decodes, so that a character that two chunks share comes out whole. */
export function createLineSplitter(maxLineBytes: number): LineSplitter {
  let parts: Buffer[] = [];
  let bytes = 0;

  const add = (part: Buffer): void => {
    bytes += part.length;
    if (bytes > maxLineBytes) {
      throw new KubeFailure("broken", `the API server sent one object of more than ${maxLineBytes} bytes`);
    }
    if (part.length > 0) parts.push(part);
  };

  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        add(chunk.subarray(start, end));
        start = end + 1;
        if (bytes > 0) lines.push(Buffer.concat(parts, bytes).toString("utf8"));
        parts = [];
        bytes = 0;
      }
      add(chunk.subarray(start));
      return lines;
    },
    begun: () => bytes,
  };
}

const newline = 0x0a;
