import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Clock } from "../base/clock.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeSotwRequest,
  type RequestNode,
  type SotwRequest,
} from "../envoy/discovery-request.ts";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "../gen/envoy/service/discovery/v3/discovery_pb.ts";

/**
 * Decoders that remember requests for a while: proxies of one kind ask in the same bytes when they come together, for thousands of names,
 * and answer a response in the same bytes, as its nonce is the same for all. What is decoded once is one object for all of them, so
 * that what follows from it can be shared too.
 */
export interface RequestDecoders {
  readonly sotw: (bytes: Uint8Array) => Decoded<SotwRequest>;
  readonly delta: (bytes: Uint8Array) => Decoded<DeltaRequest>;
}

/** A request without its node, which is nobody else's. */
export interface Decoded<R> {
  readonly request: R;
  readonly node: RequestNode | undefined;
}

/** Longer ones are looked up by their length, and compared: that costs less than to make a text of them. */
const shortBytes = 1_024;

/** What nobody has sent for this long, or twice as long, is forgotten when the next request comes. */
const generationMs = 4_000;

/** `maxBytes`: of encoded requests that are remembered, of both variants and both generations; beyond a share of it all are forgotten. */
export function createRequestDecoders(clock: Clock, maxBytes: number): RequestDecoders {
  const sotw = createMemory<SotwRequest>(clock, maxBytes / 4);
  const delta = createMemory<DeltaRequest>(clock, maxBytes / 4);
  return {
    sotw: remembering(decodeSotwRequest, DiscoveryRequestSchema.field.node.number, sotw),
    delta: remembering(decodeDeltaRequest, DeltaDiscoveryRequestSchema.field.node.number, delta),
  };
}

interface Known<R> {
  readonly bytes: Uint8Array;
  readonly request: R;
}

interface Memory<R> {
  readonly find: (bytes: Uint8Array) => R | undefined;
  readonly keep: (one: Known<R>) => void;
}

function createMemory<R>(clock: Clock, maxBytes: number): Memory<R> {
  let young = new Map<string | number, Known<R>>();
  let old = new Map<string | number, Known<R>>();
  let kept = 0;
  let bornAtMs = clock.monotonic();

  /** Looked after when it is used: what is idle is bounded, and a timer would only keep it busy. */
  const age = (): void => {
    const ageMs = clock.monotonic() - bornAtMs;
    if (ageMs < generationMs) return;
    old = ageMs < 2 * generationMs ? young : new Map();
    young = new Map();
    kept = 0;
    bornAtMs = clock.monotonic();
  };

  const forget = (): void => {
    young = new Map();
    old = new Map();
    kept = 0;
  };

  const keep = (one: Known<R>): void => {
    const { length } = one.bytes;
    if (length > maxBytes) return;
    const key = keyOf(one.bytes);
    const isNew = !young.has(key);
    if (isNew && kept + length > maxBytes) forget();
    if (isNew) kept += length;
    young.set(key, one);
  };

  return {
    find: (bytes) => {
      age();
      const key = keyOf(bytes);
      const recent = young.get(key);
      if (recent !== undefined && isSame(recent.bytes, bytes)) return recent.request;
      const found = old.get(key);
      if (found === undefined || !isSame(found.bytes, bytes)) return undefined;
      keep(found);
      return found.request;
    },
    keep,
  };
}

const keyOf = (bytes: Uint8Array): string | number => {
  const { buffer, byteOffset, length } = bytes;
  return length < shortBytes ? Buffer.from(buffer, byteOffset, length).toString("latin1") : length;
};

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length < shortBytes || Buffer.compare(a, b) === 0;

function remembering<R extends SotwRequest | DeltaRequest>(
  decode: (bytes: Uint8Array) => R,
  nodeField: number,
  { find, keep }: Memory<R>,
): (bytes: Uint8Array) => Decoded<R> {
  const decodeRest = (bytes: Uint8Array): Decoded<R> => {
    const found = find(bytes);
    if (found !== undefined) return { request: found, node: undefined };
    const { node, request } = apart(decode(bytes));
    // A copy: the bytes may be a part of much more that came with them.
    if (node === undefined) keep({ bytes: Uint8Array.from(bytes), request });
    return { request, node };
  };
  return (bytes) => {
    const place = nodePlace(bytes, nodeField);
    if (place === undefined) return decodeRest(bytes);
    const { node } = decode(bytes.subarray(place.start, place.end));
    const { request, node: another } = decodeRest(without(bytes, place));
    if (another === undefined && node !== undefined) return { request, node };
    // Two of them, or none after all.
    return apart(decode(bytes));
  };
}

/** What stands in a request that has no node is all that there is to it. */
const apart = <R extends SotwRequest | DeltaRequest>({ node, ...request }: R): Decoded<R> => ({
  request: request as unknown as R,
  node,
});

/** The bytes around the place: clients write the node first, and what comes after it needs no copy. */
const without = (bytes: Uint8Array, { start, end }: Place): Uint8Array =>
  start === 0 ? bytes.subarray(end) : Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Where the node stands; clients write fields in the order of their numbers, and its is a low one. */
function nodePlace(bytes: Uint8Array, nodeField: number): Place | undefined {
  const reader = new BinaryReader(bytes);
  try {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [field, wireType] = reader.tag();
      if (field > nodeField) return undefined;
      reader.skip(wireType);
      if (field === nodeField) return { start, end: reader.pos };
    }
  } catch {
    // Whoever decodes it says what is wrong with it.
  }
  return undefined;
}
