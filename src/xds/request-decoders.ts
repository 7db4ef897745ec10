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

interface Known<R> {
  readonly bytes: Uint8Array;
  readonly request: R;
}

function remembering<R extends SotwRequest | DeltaRequest>(
  decode: (bytes: Uint8Array) => R,
  maxBytes: number,
): (bytes: Uint8Array) => R {
  /** By length: to compare two requests costs less than to hash one. Used last is last. */
  const known = new Map<number, Known<R>>();
  let kept = 0;
  const keep = (one: Known<R>): void => {
    const { length } = one.bytes;
    if (!known.delete(length)) kept += length;
    known.set(length, one);
    for (const oldest of known.keys()) {
      if (kept <= maxBytes) break;
      known.delete(oldest);
      kept -= oldest;
    }
  };
  return (bytes) => {
    if (bytes.length < shortBytes) return decode(bytes);
    const found = known.get(bytes.length);
    if (found !== undefined && Buffer.compare(found.bytes, bytes) === 0) {
      keep(found);
      return found.request;
    }
    const request = decode(bytes);
    // A node is nobody else's.
    if (request.node === undefined) keep({ bytes, request });
    return request;
  };
}
