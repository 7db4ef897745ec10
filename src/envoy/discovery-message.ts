import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { MeshError } from "../base/errors.ts";
import type { Node } from "../gen/envoy/config/core/v3/base_pb.ts";
import { DeltaDiscoveryRequestSchema, DiscoveryRequestSchema } from "../gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { Resource } from "./resource-set.ts";

/** Most names, or known versions, that one request may carry. Real clients were seen with 60 000. */
export const maxNamesPerRequest = 100_000;
/** Longest resource name and type URL, in characters. */
export const maxNameLength = 4_096;
/** A longer error text of a proxy is cut. Envoy itself cuts at this length. */
export const maxErrorLength = 4_096;

/** The node of a request as plain data, not checked yet. */
export interface RequestNode {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subzone: string };
  /** Version as `major.minor.patch`, or as the client spells it; empty when it does not say. */
  readonly client: { readonly name: string; readonly version: string };
}

interface AnyRequest {
  readonly typeUrl: string;
  readonly node?: RequestNode;
  /** Nonce of the response that this answers; empty for none. */
  readonly nonce: string;
  /** Why the proxy refused that response; its presence alone makes the request a NACK. Cut to `maxErrorLength`. */
  readonly error?: string;
}

/** A state-of-the-world request: `names` is the whole subscription. */
export interface SotwRequest extends AnyRequest {
  readonly names: readonly string[];
}

/** An incremental request. */
export interface DeltaRequest extends AnyRequest {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** What the proxy holds from an earlier stream: name to version. */
  readonly knownVersions: ReadonlyMap<string, string>;
}

/** Throws `input/invalid` for bytes that are no request, and for one beyond the limits above. */
export function decodeSotwRequest(bytes: Uint8Array): SotwRequest {
  const request = decoded("DiscoveryRequest", () => fromBinary(DiscoveryRequestSchema, bytes));
  return { ...commonParts(request), names: checkedNames(request.resourceNames) };
}

/** Throws `input/invalid` for bytes that are no request, and for one beyond the limits above. */
export function decodeDeltaRequest(bytes: Uint8Array): DeltaRequest {
  const request = decoded("DeltaDiscoveryRequest", () => fromBinary(DeltaDiscoveryRequestSchema, bytes));
  return {
    ...commonParts(request),
    subscribe: checkedNames(request.resourceNamesSubscribe),
    unsubscribe: checkedNames(request.resourceNamesUnsubscribe),
    knownVersions: checkedVersions(request.initialResourceVersions),
  };
}

function decoded<T>(message: string, decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new MeshError("input/invalid", `the request is no ${message}`, { cause });
  }
}

function commonParts(request: {
  readonly node?: Node | undefined;
  readonly typeUrl: string;
  readonly responseNonce: string;
  readonly errorDetail?: { readonly code: number; readonly message: string } | undefined;
}): AnyRequest {
  const { node, typeUrl, responseNonce, errorDetail } = request;
  checkedNames([typeUrl]);
  return {
    typeUrl,
    nonce: responseNonce,
    ...(node === undefined ? {} : { node: requestNode(node) }),
    ...(errorDetail === undefined ? {} : { error: errorText(errorDetail.message, errorDetail.code) }),
  };
}

function errorText(message: string, code: number): string {
  return message === "" ? `refused without a text, status code ${code}` : message.slice(0, maxErrorLength);
}

function checkedVersions(versions: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  checkedNames(Object.keys(versions));
  checkedNames(Object.values(versions));
  return new Map(Object.entries(versions));
}

function checkedNames(names: readonly string[]): readonly string[] {
  if (names.length > maxNamesPerRequest) throw tooLarge(`${names.length} names`);
  const long = names.find((name) => name.length > maxNameLength);
  if (long !== undefined) throw tooLarge(`a name of ${long.length} characters`);
  return names;
}

const tooLarge = (found: string): MeshError =>
  new MeshError("input/invalid", `the request carries ${found}`, {
    hint: `At most ${maxNamesPerRequest} names of at most ${maxNameLength} characters are accepted.`,
  });

function requestNode(node: Node): RequestNode {
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  return {
    id: node.id,
    metadata: node.metadata ?? {},
    locality: { region, zone, subzone: subZone },
    client: { name: node.userAgentName, version: clientVersion(node.userAgentVersionType) },
  };
}

function clientVersion(agent: Node["userAgentVersionType"]): string {
  if (agent.case === "userAgentVersion") return agent.value;
  const version = agent.case === "userAgentBuildVersion" ? agent.value.version : undefined;
  return version === undefined ? "" : `${version.majorNumber}.${version.minorNumber}.${version.patch}`;
}

/** A response without its nonce: what may be shared by every stream that gets the same content. */
export interface ResponseContent {
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` in a delta response. */
  readonly version: string;
  readonly resources: readonly Resource[];
  /** Only in a delta response. */
  readonly removed: readonly string[];
  /** `control_plane.identifier`. */
  readonly identifier: string;
}

/** Bytes of a `DiscoveryResponse` without its nonce. */
export function encodeSotwResponse({ typeUrl, version, resources, identifier }: ResponseContent): Uint8Array {
  const url = utf8(typeUrl);
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const { bytes } of resources) any(writer, 2, url, bytes);
  text(writer, 4, typeUrl);
  return controlPlane(writer, 6, identifier).finish();
}

/** Bytes of a `DeltaDiscoveryResponse` without its nonce. */
export function encodeDeltaResponse(content: ResponseContent): Uint8Array {
  const { typeUrl, version, resources, removed, identifier } = content;
  const url = utf8(typeUrl);
  const writer = new BinaryWriter();
  text(writer, 1, version);
  for (const resource of resources) {
    const [name, resourceVersion] = [utf8(resource.name), utf8(resource.version)];
    const size = fieldSize(name.length) + fieldSize(resourceVersion.length) + fieldSize(anySize(url, resource.bytes));
    tag(writer, 2).uint32(size);
    tag(writer, 1).bytes(resourceVersion);
    any(writer, 2, url, resource.bytes);
    tag(writer, 3).bytes(name);
  }
  text(writer, 4, typeUrl);
  for (const name of removed) text(writer, 6, name);
  return controlPlane(writer, 7, identifier).finish();
}

/** A whole response of either kind: its nonce is field 5 in both, and fields may come in any order. */
export function withNonce(content: Uint8Array, nonce: string): Uint8Array {
  const field = text(new BinaryWriter(), 5, nonce).finish();
  const response = new Uint8Array(content.length + field.length);
  response.set(content);
  response.set(field, content.length);
  return response;
}

/** Bytes of a `ClusterLoadAssignment` without endpoints: the answer for a name that does not exist. */
export const encodeEmptyAssignment = (clusterName: string): Uint8Array =>
  text(new BinaryWriter(), 1, clusterName).finish();

const encoder = new TextEncoder();
const utf8 = (value: string): Uint8Array => encoder.encode(value);

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
