import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { Clock } from "../base/clock.ts";
import {
  type DeltaRequest,
  decodeDeltaRequest,
  decodeSotwRequest,
  type SotwRequest,
} from "../envoy/discovery-request.ts";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "../gen/envoy/service/discovery/v3/discovery_pb.ts";

/**
 * Decoders that remember long requests for a while: proxies of one kind that come together ask in the same bytes, for thousands of
 * names. What is decoded once is one object for all of them, so that what follows from it can be shared too.
 */
export interface RequestDecoders {
  readonly sotw: (bytes: Uint8Array) => SotwRequest;
  readonly delta: (bytes: Uint8Array) => DeltaRequest;
  readonly close: () => void;
}

/** Shorter ones are decoded sooner than they are looked up. */
const shortBytes = 1_024;

/** What nobody has sent for this long, or twice as long, is forgotten. */
const generationMs = 4_000;

/** `maxBytes`: of encoded requests that are remembered, of both variants and both generations; beyond a share of it all are forgotten. */
export function createRequestDecoders(clock: Clock, maxBytes: number): RequestDecoders {
  const sotw = createMemory<SotwRequest>(clock, maxBytes / 4);
  const delta = createMemory<DeltaRequest>(clock, maxBytes / 4);
  return {
    sotw: remembering(decodeSotwRequest, DiscoveryRequestSchema.field.node.number, sotw),
    delta: remembering(decodeDeltaRequest, DeltaDiscoveryRequestSchema.field.node.number, delta),
    close: () => {
      sotw.forget();
      delta.forget();
    },
  };
}

interface Known<R> {
  readonly bytes: Uint8Array;
  readonly request: R;
}

interface Memory<R> {
  readonly find: (bytes: Uint8Array) => R | undefined;
  readonly keep: (one: Known<R>) => void;
  readonly forget: () => void;
}

/** By length: to compare two requests costs less than to hash one. */
function createMemory<R>(clock: Clock, maxBytes: number): Memory<R> {
  let young = new Map<number, Known<R>>();
  let old = new Map<number, Known<R>>();
  let kept = 0;
  let stopClock: (() => void) | undefined;

  const forget = (): void => {
    stopClock?.();
    stopClock = undefined;
    young = new Map();
    old = new Map();
    kept = 0;
  };

  const age = (): void => {
    stopClock = undefined;
    old = young;
    young = new Map();
    kept = 0;
    if (old.size > 0) stopClock = clock.after(generationMs, age);
  };

  const keep = (one: Known<R>): void => {
    const { length } = one.bytes;
    if (length > maxBytes) return;
    const isNew = !young.has(length);
    if (isNew && kept + length > maxBytes) forget();
    if (isNew) kept += length;
    young.set(length, one);
    stopClock ??= clock.after(generationMs, age);
  };

  return {
    find: (bytes) => {
      const found = [young.get(bytes.length), old.get(bytes.length)].find(
        (one) => one !== undefined && Buffer.compare(one.bytes, bytes) === 0,
      );
      if (found !== undefined) keep(found);
      return found?.request;
    },
    keep,
    forget,
  };
}

function remembering<R extends SotwRequest | DeltaRequest>(
  decode: (bytes: Uint8Array) => R,
  nodeField: number,
  { find, keep }: Memory<R>,
): (bytes: Uint8Array) => R {
  const decodeRest = (bytes: Uint8Array): R => {
    const found = find(bytes);
    if (found !== undefined) return found;
    const request = decode(bytes);
    // A copy: the bytes may be a part of much more that came with them.
    if (request.node === undefined) keep({ bytes: Uint8Array.from(bytes), request });
    return request;
  };
  return (bytes) => {
    if (bytes.length < shortBytes) return decode(bytes);
    // A node is nobody else's; what is around it may well be.
    const place = nodePlace(bytes, nodeField);
    if (place === undefined) return decodeRest(bytes);
    const { node } = decode(bytes.subarray(place.start, place.end));
    const request = decodeRest(without(bytes, place));
    return request.node === undefined && node !== undefined ? { ...request, node } : decode(bytes);
  };
}

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
