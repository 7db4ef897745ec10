import { contentHash } from "../base/digest.ts";
import { memoize } from "../base/memo.ts";
import {
  encodeDeltaResponse,
  encodeNonce,
  encodeSotwResponse,
  type ResponseContent,
  type ResponseEnvelope,
} from "../envoy/discovery-response.ts";
import type { ResourceType } from "../envoy/resource-types.ts";
import { frameOf } from "./grpc/framing.ts";

/** The two ways to speak the protocol. */
export type Variant = "sotw" | "delta";

export interface EncodedResponse {
  /** Position in the one sequence of all responses of this process; the nonce is its text form. */
  readonly sequence: number;
  readonly nonce: string;
  readonly version: string;
  /** The whole message, shared: never write into it. */
  readonly bytes: Buffer;
  /** The same behind its gRPC prefix, as it goes over the wire. */
  readonly framed: Buffer;
}

/** Encodes each response once for all streams that get the same content. */
export interface ResponseCache {
  /**
   * A response whose sequence is above that of `last`, the last one of this type on this stream, so that no stream sees a nonce
   * twice: the shared one if it is, else its content in a new envelope. Signs of life alone keep the version of `last`.
   */
  readonly encode: (
    variant: Variant,
    type: ResourceType,
    content: ResponseContent,
    last: EncodedResponse | undefined,
  ) => EncodedResponse;
}

interface Entry {
  readonly response: EncodedResponse;
  readonly contentLength: number;
}

export interface ResponseCacheOptions {
  /** `control_plane.identifier` of every response. */
  readonly identifier: string;
  /** The first nonce's number; time in ms keeps the nonces of two runs apart. */
  readonly firstSequence: number;
  /** Upper bound of all kept bytes; what was not used for longest goes first. */
  readonly maxBytes: number;
  /** Called for each response that is encoded rather than shared. */
  readonly onEncode?: (type: ResourceType) => void;
}

const encoders: Readonly<Record<Variant, (envelope: ResponseEnvelope) => Uint8Array>> = {
  sotw: encodeSotwResponse,
  delta: encodeDeltaResponse,
};

export function createResponseCache({
  identifier,
  firstSequence,
  maxBytes,
  onEncode,
}: ResponseCacheOptions): ResponseCache {
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  let keptBytes = 0;
  let last = firstSequence - 1;

  const seal = (content: Uint8Array, version: string): Entry => {
    last++;
    const nonce = last.toString(36);
    const field = encodeNonce(nonce);
    const { framed, message } = frameOf(content.length + field.length);
    message.set(content);
    message.set(field, content.length);
    return { response: { sequence: last, nonce, version, bytes: message, framed }, contentLength: content.length };
  };

  const forget = (key: string): void => {
    keptBytes -= entries.get(key)?.response.bytes.length ?? 0;
    entries.delete(key);
  };

  const keep = (key: string, entry: Entry): void => {
    forget(key);
    entries.set(key, entry);
    keptBytes += entry.response.bytes.length;
    for (const oldest of entries.keys()) {
      if (keptBytes <= maxBytes) break;
      forget(oldest);
    }
  };

  return {
    encode(variant, type, content, before) {
      const digest = digestOf(content);
      const version = before !== undefined && isOnlyLife(content) ? before.version : digest;
      const key = `${variant} ${type.short} ${version} ${digest}`;
      const found = entries.get(key);
      if (found === undefined) onEncode?.(type);
      const entry =
        found === undefined
          ? seal(encoders[variant]({ typeUrl: type.url, version, content, identifier }), version)
          : found.response.sequence > (before?.sequence ?? -1)
            ? found
            : seal(found.response.bytes.subarray(0, found.contentLength), version);
      keep(key, entry);
      return entry.response;
    },
  };
}

/** The version of a response: a hash of what it says, so equal content has one version on every replica. */
const digestOf = memoize((content: ResponseContent): string => {
  const { resources, removed, missing, unavailable, bodiless, heartbeats, ttl } = content;
  const versions = (mark: string, list: ResponseContent["resources"]): readonly string[] =>
    list.map(({ name, version }) => `${mark}${name}\0${version}\n`);
  const names = (mark: string, list: readonly string[]): readonly string[] => list.map((name) => `${mark}${name}\0\n`);
  const wrapped = ttl && resources.some(({ ttlMs }) => ttlMs !== undefined);
  const parts = [
    ...versions("", resources),
    ...names("", removed),
    ...names("\x01", missing),
    ...names("\x05", unavailable),
    ...names("\x02", bodiless),
    ...versions("\x03", heartbeats),
    ...(wrapped ? ["\x04"] : []),
  ];
  return contentHash(parts.join(""));
});

const isOnlyLife = ({ resources, removed, missing, unavailable, bodiless, heartbeats }: ResponseContent): boolean =>
  heartbeats.length > 0 &&
  resources.length + removed.length + missing.length + unavailable.length + bodiless.length === 0;
