import { readFile, stat } from "node:fs/promises";
import { MeshError } from "../base/errors.ts";
import type { CliIo } from "./command.ts";

/** The text of a file; `-` is standard input. Throws `usage/invalid`. */
export async function readText(file: string, io: Pick<CliIo, "input">, maxBytes: number): Promise<string> {
  if (file === "-") return readStandardInput(io, maxBytes);
  const bytes = await readBounded(file, maxBytes).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MeshError("usage/invalid", `cannot read ${file}: ${reason}`, { cause });
  });
  return utf8(bytes, file);
}

async function readBounded(file: string, maxBytes: number): Promise<Uint8Array> {
  if ((await stat(file)).size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
  return readFile(file);
}

/** Throws `usage/invalid` where there is more of it, or it is no text. */
export async function readStandardInput({ input }: Pick<CliIo, "input">, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new MeshError("usage/invalid", `standard input is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return utf8(Buffer.concat(chunks), "standard input");
}

function utf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new MeshError("usage/invalid", `${what} is not UTF-8 text`, { cause });
  }
}
