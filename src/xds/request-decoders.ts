import { contentHash } from "../base/digest.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeSotwRequest,
  type SotwRequest,
} from "../envoy/discovery-request.ts";

/**
 * Decoders that remember long requests: proxies of one kind ask in the same bytes, for thousands of names. What is decoded once
 * is one object for all of them, so that what follows from it can be shared too.
 */
export interface RequestDecoders {
  readonly sotw: (bytes: Uint8Array) => SotwRequest;
  readonly delta: (bytes: Uint8Array) => DeltaRequest;
}

/** Shorter ones are decoded sooner than they are looked up. */
const shortBytes = 1_024;

/** `maxBytes`: the sum of the encoded requests that are remembered; what was not used for longest goes first. */
export const createRequestDecoders = (maxBytes: number): RequestDecoders => ({
  sotw: remembering(decodeSotwRequest, maxBytes),
  delta: remembering(decodeDeltaRequest, maxBytes),
});

function remembering<R extends SotwRequest | DeltaRequest>(
  decode: (bytes: Uint8Array) => R,
  maxBytes: number,
): (bytes: Uint8Array) => R {
  /** Used last is last. */
  const known = new Map<string, { readonly request: R; readonly length: number }>();
  let kept = 0;
  const forget = (key: string): void => {
    kept -= known.get(key)?.length ?? 0;
    known.delete(key);
  };
  return (bytes) => {
    if (bytes.length < shortBytes) return decode(bytes);
    const key = contentHash(bytes);
    const request = known.get(key)?.request ?? decode(bytes);
    // A node is nobody else's.
    if (request.node !== undefined) return request;
    forget(key);
    known.set(key, { request, length: bytes.length });
    kept += bytes.length;
    for (const oldest of known.keys()) {
      if (kept <= maxBytes) break;
      forget(oldest);
    }
    return request;
  };
}
