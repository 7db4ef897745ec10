import { fromBinary } from "@bufbuild/protobuf";
import type { ResourceType } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  ResourceSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { EncodedResponse } from "../../src/xds/response-cache.ts";
import { readWireResource } from "./wire-resources.ts";

/** Of a response, the names in it. */
export interface ResponseNames {
  /** With a body or as a sign of life. */
  readonly names: ReadonlySet<string>;
  readonly removed: readonly string[];
}

/** Reads a response as a client does. Throws where no client could take it. */
export function checkedResponse(
  variant: "sotw" | "delta",
  type: ResourceType,
  { bytes, nonce, version }: Pick<EncodedResponse, "bytes" | "nonce" | "version">,
): ResponseNames {
  const read = variant === "sotw" ? readSotw(bytes) : readDelta(bytes);
  if (read.typeUrl !== type.url) throw new Error(`a response of type ${read.typeUrl} instead of ${type.url}`);
  if (nonce === "" || read.nonce !== nonce) throw new Error(`the nonce ${read.nonce} instead of ${nonce}`);
  if (version === "") throw new Error("a response without a version");
  const foreign = read.typeUrls.filter((url) => url !== type.url);
  if (foreign.length > 0) throw new Error(`resources of type ${foreign.join(" ")} in a response of ${type.url}`);
  const all = [...read.names, ...read.removed];
  const names = new Set(all);
  if (names.size !== all.length) throw new Error(`a name twice among ${all.join(" ")}`);
  return { names: new Set(read.names), removed: read.removed };
}

interface Read extends Omit<ResponseNames, "names"> {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly names: readonly string[];
  /** Of the bodies. */
  readonly typeUrls: readonly string[];
}

const wrapperUrl = `type.googleapis.com/${ResourceSchema.typeName}`;

function readSotw(bytes: Uint8Array): Read {
  const { typeUrl, nonce, resources } = fromBinary(DiscoveryResponseSchema, bytes);
  const bodies = resources.map((any) => {
    if (any.typeUrl !== wrapperUrl) return { typeUrl: any.typeUrl, name: readWireResource(any.value).name };
    const { name, resource } = fromBinary(ResourceSchema, any.value);
    return { typeUrl: resource?.typeUrl ?? typeUrl, name };
  });
  return {
    ...{ typeUrl, nonce, removed: [] },
    names: bodies.map(({ name }) => name),
    typeUrls: bodies.map((body) => body.typeUrl),
  };
}

function readDelta(bytes: Uint8Array): Read {
  const { typeUrl, nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, bytes);
  return {
    ...{ typeUrl, nonce, removed: removedResources },
    names: resources.map(({ name }) => name),
    typeUrls: resources.flatMap(({ resource }) => resource?.typeUrl ?? []),
  };
}
