import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Resource } from "./resource-set.ts";

/** What a response says, whatever carries it. */
export interface ResponseContent {
  /** With their bodies. */
  readonly resources: readonly Resource[];
  /** Names; only in a delta response. */
  readonly removed: readonly string[];
  /** Names of resources that do not exist: `resource_errors` with NOT_FOUND. */
  readonly missing: readonly string[];
  /** Names of resources that cannot be had at present, though they may exist: `resource_errors` with UNAVAILABLE. */
  readonly unavailable: readonly string[];
  /** Names of resources that do not exist, as answers without a body; only in a delta response. */
  readonly bodiless: readonly string[];
  /** Signs of life of resources that have a time to live: name, version and `ttl`, no body. */
  readonly heartbeats: readonly Resource[];
  /** The client takes `ttl`, and, in a state-of-the-world response, resources wrapped for it. */
  readonly ttl: boolean;
}

/** A response without its nonce: what may be shared by every stream that gets the same content. */
export interface ResponseEnvelope {
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` in a delta response. */
  readonly version: string;
  readonly content: ResponseContent;
  /** `control_plane.identifier`. */
  readonly identifier: string;
}

/** Bytes of a `DiscoveryResponse` without its nonce. */
export function encodeSotwResponse({ typeUrl, version, content, identifier }: ResponseEnvelope): Uint8Array {
  const url = utf8(typeUrl);
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const resource of content.resources) {
    if (content.ttl && resource.ttlMs !== undefined) {
      any(writer, 2, wrapperUrl, wrapped(resource, url, resource.bytes, resource.ttlMs));
    } else any(writer, 2, url, resource.bytes);
  }
  for (const resource of content.heartbeats) {
    any(writer, 2, wrapperUrl, wrapped(resource, url, undefined, resource.ttlMs));
  }
  text(writer, 4, typeUrl);
  controlPlane(writer, 6, identifier);
  for (const error of errorsOf(content)) tag(writer, 7).bytes(error);
  return writer.finish();
}

/** Bytes of a `DeltaDiscoveryResponse` without its nonce. */
export function encodeDeltaResponse({ typeUrl, version, content, identifier }: ResponseEnvelope): Uint8Array {
  const url = utf8(typeUrl);
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const resource of content.resources) {
    if (content.ttl && resource.ttlMs !== undefined) {
      tag(writer, 2).bytes(wrapped(resource, url, resource.bytes, resource.ttlMs));
      continue;
    }
    const [name, resourceVersion] = [utf8(resource.name), utf8(resource.version)];
    const size = fieldSize(name.length) + fieldSize(resourceVersion.length) + fieldSize(anySize(url, resource.bytes));
    tag(writer, 2).uint32(size);
    tag(writer, 1).bytes(resourceVersion);
    any(writer, 2, url, resource.bytes);
    tag(writer, 3).bytes(name);
  }
  for (const resource of content.heartbeats) tag(writer, 2).bytes(wrapped(resource, url, undefined, resource.ttlMs));
  for (const name of content.bodiless) {
    tag(writer, 2).bytes(text(text(new BinaryWriter(), 3, name), 4, name).finish());
  }
  text(writer, 4, typeUrl);
  for (const name of content.removed) text(writer, 6, name);
  controlPlane(writer, 7, identifier);
  for (const error of errorsOf(content)) tag(writer, 9).bytes(error);
  return writer.finish();
}

/** A `Resource` with a time to live; without a body it is a sign of life. */
function wrapped({ name, version }: Resource, url: Uint8Array, body: Uint8Array | undefined, ttlMs = 0): Uint8Array {
  const writer = text(new BinaryWriter(), 1, version);
  if (body !== undefined) any(writer, 2, url, body);
  text(writer, 3, name);
  return tag(writer, 6).bytes(duration(ttlMs)).finish();
}

function duration(ms: number): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int64(Math.floor(ms / 1_000));
  return writer
    .tag(2, WireType.Varint)
    .int32((ms % 1_000) * 1_000_000)
    .finish();
}

const errorsOf = ({ missing, unavailable }: ResponseContent): readonly Uint8Array[] => [
  ...missing.map((name) => resourceError(name, notFoundCode, "does not exist")),
  ...unavailable.map((name) => resourceError(name, unavailableCode, "cannot be had at present")),
];

/** A `ResourceError`: the name, and a status. */
function resourceError(name: string, code: number, what: string): Uint8Array {
  const resourceName = text(new BinaryWriter(), 1, name).finish();
  const status = text(new BinaryWriter().tag(1, WireType.Varint).int32(code), 2, `${name} ${what}`);
  return tag(tag(new BinaryWriter(), 1).bytes(resourceName), 2).bytes(status.finish()).finish();
}

/** `google.rpc.Code`. */
const notFoundCode = 5;
const unavailableCode = 14;

/** The nonce as a field of a response of either kind; fields may come in any order, so it stands behind the rest. */
export const encodeNonce = (nonce: string): Uint8Array => text(new BinaryWriter(), 5, nonce).finish();

/** Bytes of a `ClusterLoadAssignment`, or of a `Runtime`, with a name and nothing in it: the answer for one that does not exist. */
export const encodeEmptyResource = (name: string): Uint8Array => text(new BinaryWriter(), 1, name).finish();

const encoder = new TextEncoder();
const utf8 = (value: string): Uint8Array => encoder.encode(value);
const wrapperUrl = utf8("type.googleapis.com/envoy.service.discovery.v3.Resource");

const tag = (writer: BinaryWriter, field: number): BinaryWriter => writer.tag(field, WireType.LengthDelimited);
const text = (writer: BinaryWriter, field: number, value: string): BinaryWriter => tag(writer, field).string(value);

/** Writes `Any` from ready bytes; the sizes are counted beforehand so that the bytes are copied once. */
function any(writer: BinaryWriter, field: number, url: Uint8Array, value: Uint8Array): void {
  tag(writer, field).uint32(anySize(url, value));
  tag(writer, 1).bytes(url);
  tag(writer, 2).bytes(value);
}

const controlPlane = (writer: BinaryWriter, field: number, identifier: string): BinaryWriter =>
  tag(writer, field).bytes(text(new BinaryWriter(), 1, identifier).finish());

const anySize = (url: Uint8Array, value: Uint8Array): number => fieldSize(url.length) + fieldSize(value.length);

/** Size of a length-delimited field with a number below 16. */
const fieldSize = (length: number): number => 1 + varintSize(length) + length;

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) size++;
  return size;
}
