import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { resourceType, resourceTypeOf, type TypeName } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";

export interface RequestParts {
  /** `node.id`; no node when absent. */
  readonly node?: string;
  readonly typeUrl: string;
  readonly names?: readonly string[];
  readonly nonce?: string;
  readonly error?: string;
}

export interface ResponseParts {
  readonly typeUrl: string;
  readonly nonce: string;
  /** Names, in delta only. */
  readonly names: readonly string[];
}

const variants = {
  sotw: {
    encode: ({ node, typeUrl, names = [], nonce = "", error }: RequestParts): Uint8Array =>
      toBinary(
        DiscoveryRequestSchema,
        create(DiscoveryRequestSchema, {
          ...(node !== undefined && { node: { id: node } }),
          ...{ typeUrl, resourceNames: [...names], responseNonce: nonce },
          ...(error !== undefined && { errorDetail: { code: 3, message: error } }),
        }),
      ),
    decode: (bytes: Uint8Array): ResponseParts => ({ ...fromBinary(DiscoveryResponseSchema, bytes), names: [] }),
  },
  delta: {
    encode: ({ node, typeUrl, names = [], nonce = "", error }: RequestParts): Uint8Array =>
      toBinary(
        DeltaDiscoveryRequestSchema,
        create(DeltaDiscoveryRequestSchema, {
          ...(node !== undefined && { node: { id: node } }),
          ...{ typeUrl, resourceNamesSubscribe: [...names], responseNonce: nonce },
          ...(error !== undefined && { errorDetail: { code: 3, message: error } }),
        }),
      ),
    decode: (bytes: Uint8Array): ResponseParts => {
      const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      return { ...response, names: response.resources.map(({ name }) => name) };
    },
  },
};

/** A streaming method of discovery, and how to speak on it. */
export interface StreamMethod {
  readonly path: string;
  readonly variant: "sotw" | "delta";
  /** The one type that it serves; absent on ADS. */
  readonly only?: TypeName;
  /** What a stream on it asks for first in these tests. */
  readonly type: TypeName;
  readonly names: readonly string[];
  readonly encode: (request: RequestParts) => Uint8Array;
  readonly decode: (response: Uint8Array) => ResponseParts;
}

const ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

export const adsMethod = (
  variant: "sotw" | "delta",
  type: TypeName = "CDS",
  names: readonly string[] = [],
): StreamMethod => ({
  path: `${ads}/${variant === "sotw" ? "Stream" : "Delta"}AggregatedResources`,
  ...{ variant, type, names, ...variants[variant] },
});

export function singleMethod(variant: "sotw" | "delta", only: TypeName, names: readonly string[] = []): StreamMethod {
  const { service } = resourceType(only);
  return { path: `${service.path}/${service[variant]}`, ...{ variant, only, type: only, names, ...variants[variant] } };
}

/** ADS and single-type, in both variants. */
export const someMethods: readonly StreamMethod[] = [
  adsMethod("sotw"),
  singleMethod("delta", "EDS", ["c0", "c1"]),
  adsMethod("delta"),
  singleMethod("sotw", "CDS"),
];

/** The request that begins, or goes on with, what the method's stream asks for. */
export const asking = ({ encode, type, names }: StreamMethod, more: Partial<RequestParts> = {}): Uint8Array =>
  encode({ typeUrl: resourceType(type).url, names, ...more });

/** The answer to a response. With an `error` it is a refusal. */
export function answering(method: StreamMethod, response: ResponseParts, error?: string): Uint8Array {
  const type = resourceTypeOf(response.typeUrl);
  if (type === undefined) throw new Error(`a response of the unknown type ${response.typeUrl}`);
  const names = method.variant === "sotw" && type.short === method.type ? method.names : [];
  const { typeUrl, nonce } = response;
  return method.encode({ typeUrl, names, nonce, ...(error !== undefined && { error }) });
}
