import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { resourceTypes } from "../../../src/envoy/resource-types.ts";
import { NodeSchema } from "../../../src/gen/envoy/config/core/v3/base_pb.ts";
import { type BenchNode, clientName, clientVersion, metadataOf } from "../fixture/nodes.ts";
import { type BenchType, benchTypes } from "../fixture/types.ts";
import type { Versions } from "./commands.ts";
import { dataFrames, grpcPrefix } from "./frames.ts";
import type { Variant } from "./skim.ts";

/* Requests of either form, built from parts: protobuf takes the fields of a message in any order, so what is alike is built once. */

export const methodPaths: Readonly<Record<Variant, string>> = {
  delta: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
  sotw: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
};

export const typeUrls = Object.fromEntries(
  benchTypes.map((type) => [type, resourceTypes.find(({ short }) => short === type)?.url ?? ""]),
) as Readonly<Record<BenchType, string>>;

export const typeOfUrl: ReadonlyMap<string, BenchType> = new Map(benchTypes.map((type) => [typeUrls[type], type]));

/** Field numbers of the two forms. */
const fields = {
  delta: { node: 1, typeUrl: 2, subscribe: 3, unsubscribe: 4, known: 5, nonce: 6, version: 0 },
  sotw: { node: 2, typeUrl: 4, subscribe: 3, unsubscribe: 0, known: 0, nonce: 5, version: 1 },
} as const satisfies Readonly<Record<Variant, Readonly<Record<string, number>>>>;

const lengthDelimited = (writer: BinaryWriter, number: number): BinaryWriter =>
  writer.tag(number, WireType.LengthDelimited);

/** The node as a field of a request. */
export function nodePart(variant: Variant, node: BenchNode): Buffer {
  const { major: majorNumber, minor: minorNumber, patch } = clientVersion;
  const bytes = toBinary(
    NodeSchema,
    create(NodeSchema, {
      id: node.id,
      cluster: node.workload,
      metadata: metadataOf(node) as JsonObject,
      userAgentName: clientName,
      userAgentVersionType: {
        case: "userAgentBuildVersion",
        value: { version: { majorNumber, minorNumber, patch } },
      },
    }),
  );
  return Buffer.from(lengthDelimited(new BinaryWriter(), fields[variant].node).bytes(bytes).finish());
}

export interface Asked {
  readonly type: BenchType;
  readonly subscribe?: readonly string[];
  readonly unsubscribe?: readonly string[];
  /** Delta: what is held from an earlier stream. */
  readonly known?: Versions;
}

/** All of a request but its node, nonce and version. */
export function requestPart(variant: Variant, { type, subscribe = [], unsubscribe = [], known = [] }: Asked): Buffer {
  const of = fields[variant];
  const writer = new BinaryWriter();
  lengthDelimited(writer, of.typeUrl).string(typeUrls[type]);
  for (const name of subscribe) lengthDelimited(writer, of.subscribe).string(name);
  if (variant === "delta") {
    for (const name of unsubscribe) lengthDelimited(writer, of.unsubscribe).string(name);
    writer.raw(knownPart(known));
  }
  return Buffer.from(writer.finish());
}

/** Of a request in delta: what is held from an earlier stream. */
export function knownPart(known: Versions): Buffer {
  const writer = new BinaryWriter();
  for (const [name, version] of known) {
    const entry = lengthDelimited(lengthDelimited(new BinaryWriter(), 1).string(name), 2).string(version);
    lengthDelimited(writer, fields.delta.known).bytes(entry.finish());
  }
  return Buffer.from(writer.finish());
}

/** What differs from answer to answer: the nonce, and the version where the form has one. */
export function answerPart(variant: Variant, nonce: string, version: string): Buffer {
  const of = fields[variant];
  const writer = new BinaryWriter();
  if (nonce !== "") lengthDelimited(writer, of.nonce).string(nonce);
  if (of.version !== 0 && version !== "") lengthDelimited(writer, of.version).string(version);
  return Buffer.from(writer.finish());
}

/** A part of many messages as frames of its own: built once, written often. */
export interface SharedPart {
  readonly bytes: number;
  readonly frames: readonly Buffer[];
}

export const sharedPart = (part: Buffer): SharedPart => ({ bytes: part.length, frames: dataFrames(part) });

/** The frames of one message: its own parts first, then the shared one. */
export function messageFrames(own: readonly Buffer[], shared: SharedPart): readonly Buffer[] {
  const ownBytes = own.reduce((sum, part) => sum + part.length, 0);
  return [...dataFrames(Buffer.concat([grpcPrefix(ownBytes + shared.bytes), ...own])), ...shared.frames];
}
