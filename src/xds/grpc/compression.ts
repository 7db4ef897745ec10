import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";

/** Gives the bytes that were compressed. Rejects when they cannot be had, or are more than `maxOutputLength`. */
type Decompress = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const known: Readonly<Record<string, Decompress>> = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** What a client may compress its requests with, as `grpc-accept-encoding` says it. */
export const acceptedEncodings = ["identity", ...Object.keys(known)].join(",");

/** By the name in `grpc-encoding`; undefined for one that is not accepted. */
export const decompressorOf = (encoding: string): Decompress | undefined =>
  Object.hasOwn(known, encoding) ? known[encoding] : undefined;

/** Whether it failed because there was more than was allowed. */
export const isTooLong = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
