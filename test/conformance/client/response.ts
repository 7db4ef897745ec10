import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { resourceTypeOf, type TypeName } from "../../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type Resource,
  ResourceSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { Wire } from "../variants.ts";

/** A response of either form, read without any belief about its being right. */
export interface Response {
  readonly typeUrl: string;
  /** undefined for a `type_url` that we do not know. */
  readonly type: TypeName | undefined;
  readonly version: string;
  readonly nonce: string;
  /** `control_plane.identifier`. */
  readonly identifier: string;
  /** In the order of the message; a name may appear twice. */
  readonly resources: readonly ReceivedResource[];
  readonly removed: readonly string[];
  readonly errors: readonly ReceivedError[];
  /** Size of the whole message, in bytes. */
  readonly size: number;
  /** Counts the messages of its stream, from 1; over all types. */
  readonly index: number;
}

export interface ReceivedResource {
  /** Delta: of the wrapper. State of the world: of the wrapper if there is one, else of the body. */
  readonly name: string;
  /** The name in the body; undefined without a body. */
  readonly nameInside: string | undefined;
  /** Delta and wrapped ones: their own. Otherwise the version of the response. */
  readonly version: string;
  /** `type_url` of the `Any`; empty without a body. */
  readonly typeUrl: string;
  /** undefined: a sign of life, or the answer for something that does not exist. */
  readonly body: Uint8Array | undefined;
  readonly aliases: readonly string[];
  /** It came inside a `Resource`: always in delta; in a state-of-the-world response only for clients that say that they can. */
  readonly wrapped: boolean;
  readonly ttlMs: number | undefined;
}

/** One of `resource_errors`. */
export interface ReceivedError {
  readonly name: string;
  /** `google.rpc.Code`. */
  readonly code: number;
  readonly message: string;
}

export const wrapperUrl = "type.googleapis.com/envoy.service.discovery.v3.Resource";

/** Field numbers of `resource_errors`, which is newer than the schemas that we generate from. */
const errorsField: Readonly<Record<Wire, number>> = { sotw: 7, delta: 9 };

/** Throws for bytes that are no response. */
export function decodeResponse(wire: Wire, bytes: Uint8Array, index: number): Response {
  return wire === "sotw" ? decodeSotw(bytes, index) : decodeDelta(bytes, index);
}

function decodeSotw(bytes: Uint8Array, index: number): Response {
  const { typeUrl, versionInfo, nonce, controlPlane, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  return {
    ...{ typeUrl, type: resourceTypeOf(typeUrl)?.short, version: versionInfo, nonce, index, size: bytes.length },
    identifier: controlPlane?.identifier ?? "",
    resources: resources.map((any) => {
      if (any.typeUrl === wrapperUrl) return unwrapped(fromBinary(ResourceSchema, any.value));
      const name = nameIn(any.value);
      const rest = { aliases: [], wrapped: false, ttlMs: undefined };
      return { name, nameInside: name, version: versionInfo, typeUrl: any.typeUrl, body: any.value, ...rest };
    }),
    removed: [],
    errors: errorsIn(bytes, errorsField.sotw),
  };
}

function decodeDelta(bytes: Uint8Array, index: number): Response {
  const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  const { typeUrl, systemVersionInfo, nonce, controlPlane, resources, removedResources } = response;
  return {
    ...{ typeUrl, type: resourceTypeOf(typeUrl)?.short, version: systemVersionInfo, nonce, index, size: bytes.length },
    identifier: controlPlane?.identifier ?? "",
    resources: resources.map(unwrapped),
    removed: removedResources,
    errors: errorsIn(bytes, errorsField.delta),
  };
}

function unwrapped({ name, version, aliases, ttl, resource }: Resource): ReceivedResource {
  return {
    ...{ name, version, aliases, wrapped: true },
    ttlMs: ttl && Number(ttl.seconds) * 1_000 + ttl.nanos / 1_000_000,
    typeUrl: resource?.typeUrl ?? "",
    body: resource?.value,
    nameInside: resource && nameIn(resource.value),
  };
}

type Visit = Readonly<Record<number, (reader: BinaryReader) => void>>;

/** Reads the fields that it is told of, and skips the others. */
function readFields(bytes: Uint8Array, visit: Visit): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = visit[field];
    if (read === undefined) reader.skip(wireType, field);
    else read(reader);
  }
}

/** Every type but LEDS has its name in field 1 of the body. */
export function nameIn(body: Uint8Array): string {
  let name = "";
  const reader = new BinaryReader(body);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) name = reader.string();
    else reader.skip(wireType, field);
  }
  return name;
}

function errorsIn(bytes: Uint8Array, field: number): readonly ReceivedError[] {
  const errors: ReceivedError[] = [];
  readFields(bytes, { [field]: (reader) => errors.push(readError(reader.bytes())) });
  return errors;
}

/** `ResourceError`: 1 the name (field 1 of a `ResourceName`), 2 a `google.rpc.Status` (1 code, 2 message). */
function readError(bytes: Uint8Array): ReceivedError {
  let [name, code, message] = ["", 0, ""];
  readFields(bytes, {
    1: (reader) => {
      name = nameIn(reader.bytes());
    },
    2: (reader) =>
      readFields(reader.bytes(), {
        1: (status) => {
          code = status.int32();
        },
        2: (status) => {
          message = status.string();
        },
      }),
  });
  return { name, code, message };
}

/** For texts of failures: `CDS v1 n2 {a,b} -{c} !{d}`. */
export function describeResponse({ type, typeUrl, version, nonce, resources, removed, errors }: Response): string {
  const list = (mark: string, names: readonly string[]): string =>
    names.length === 0 ? "" : ` ${mark}{${names.slice(0, 8).join(",")}${names.length > 8 ? ",…" : ""}}`;
  const present = resources.map(({ name, body }) => (body === undefined ? `${name}?` : name));
  return `${type ?? typeUrl} ${version} ${nonce} {${present.slice(0, 8).join(",")}}${list("-", removed)}${list(
    "!",
    errors.map(({ name }) => name),
  )}`;
}
