import { type DescMessage, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { contentHash } from "../base/digest.ts";
import { collectProvenance } from "../envoy/provenance.ts";
import type { Reference, Resource } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";

/**
 * Encodes a finished message. Its version is the hash of its bytes and, where given, of `salt`: endpoints carry the version of
 * their cluster in it, so that a cluster change is followed by its endpoints.
 */
export function encodeResource<D extends DescMessage>(
  type: TypeName,
  name: string,
  schema: D,
  message: MessageShape<D>,
  references: readonly Reference[],
  salt?: string,
): Resource {
  return resourceOf(type, name, toBinary(schema, message), message, references, salt);
}

/** The same for a message that is encoded already. */
export function resourceOf(
  type: TypeName,
  name: string,
  bytes: Uint8Array,
  message: Message,
  references: readonly Reference[],
  salt?: string,
): Resource {
  return {
    type,
    name,
    version: versionOf(bytes, salt),
    bytes,
    references,
    provenance: () => collectProvenance(message),
  };
}

/** The version of encoded bytes, and of `salt` where they have one. */
export function versionOf(bytes: Uint8Array, salt?: string): string {
  const content = contentHash(bytes);
  return salt === undefined ? content : contentHash(`${content} ${salt}`);
}
