import { contentHash } from "../base/digest.ts";
import {
  encodeDeltaResponse,
  encodeSotwResponse,
  type ResponseContent,
  withNonce,
} from "../envoy/discovery-message.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { ResourceType } from "../envoy/resource-types.ts";

/** The two ways to speak the protocol. */
export type Variant = "sotw" | "delta";

export interface EncodedResponse {
  /** Position in the one sequence of all responses of this process; the nonce is its text form. */
  readonly sequence: number;
  readonly nonce: string;
  /** The whole message, shared: never write into it. */
  readonly bytes: Buffer;
}

/** Encodes each response once for all streams that get the same content. */
export interface ResponseCache {
  /**
   * A response whose sequence is above `after`, the last one of this type on this stream, so that no stream sees a nonce twice:
   * the shared one if it is, else its content in a new envelope.
   */
  readonly encode: (
    variant: Variant,
    type: ResourceType,
    resources: readonly Resource[],
    removed: readonly string[],
    after: number,
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

const encoders: Readonly<Record<Variant, (content: ResponseContent) => Uint8Array>> = {
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

  const seal = (content: Uint8Array): Entry => {
    last++;
    const nonce = last.toString(36);
    const { buffer, byteOffset, byteLength } = withNonce(content, nonce);
    const bytes = Buffer.from(buffer, byteOffset, byteLength);
    return { response: { sequence: last, nonce, bytes }, contentLength: content.length };
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
    encode(variant, type, resources, removed, after) {
      const version = versionOf(resources, removed);
      const key = `${variant} ${type.short} ${version}`;
      const found = entries.get(key);
      if (found === undefined) onEncode?.(type);
      const entry =
        found === undefined
          ? seal(encoders[variant]({ typeUrl: type.url, version, resources, removed, identifier }))
          : found.response.sequence > after
            ? found
            : seal(found.response.bytes.subarray(0, found.contentLength));
      keep(key, entry);
      return entry.response;
    },
  };
}

/** The version of a response: a hash of what it says, so equal content has one version on every replica. */
function versionOf(resources: readonly Resource[], removed: readonly string[]): string {
  const present = resources.map(({ name, version }) => `${name}\0${version}\n`);
  const gone = removed.map((name) => `${name}\0\n`);
  return contentHash([...present, ...gone].join(""));
}
