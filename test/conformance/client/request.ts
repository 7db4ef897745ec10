import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { Wire } from "../variants.ts";

/** The node of a request, every field by itself. */
export interface NodeFields {
  readonly id: string;
  readonly cluster?: string;
  readonly metadata?: JsonObject;
  readonly userAgentName?: string;
  /** `major.minor.patch`, sent as `user_agent_build_version`. */
  readonly buildVersion?: string;
  readonly features?: readonly string[];
}

/** Every field of a request of either form; what is not given is not on the wire. Fields of the other form are ignored. */
export interface RequestFields {
  readonly typeUrl: string;
  readonly node?: NodeFields;
  /** `response_nonce`. */
  readonly nonce?: string;
  /** `error_detail`: its presence makes the request a NACK. Code 3 when only a text is given. */
  readonly error?: string | { readonly code: number; readonly message: string };
  /** State of the world: `version_info`. */
  readonly version?: string;
  /** State of the world: `resource_names`, the whole subscription. */
  readonly names?: readonly string[];
  /** Delta: `resource_names_subscribe`. */
  readonly subscribe?: readonly string[];
  /** Delta: `resource_names_unsubscribe`. */
  readonly unsubscribe?: readonly string[];
  /** Delta: `initial_resource_versions`. */
  readonly known?: Readonly<Record<string, string>>;
  /** Raw protobuf fields behind the rest: what a newer client would send. */
  readonly unknown?: Uint8Array;
}

export function encodeRequest(wire: Wire, fields: RequestFields): Buffer {
  const { typeUrl, nonce = "", version = "", names = [], subscribe = [], unsubscribe = [], known = {} } = fields;
  const common = { typeUrl, responseNonce: nonce, ...nodeOf(fields.node), ...errorOf(fields.error) };
  const bytes =
    wire === "sotw"
      ? toBinary(
          DiscoveryRequestSchema,
          create(DiscoveryRequestSchema, { ...common, versionInfo: version, resourceNames: [...names] }),
        )
      : toBinary(
          DeltaDiscoveryRequestSchema,
          create(DeltaDiscoveryRequestSchema, {
            ...common,
            resourceNamesSubscribe: [...subscribe],
            resourceNamesUnsubscribe: [...unsubscribe],
            initialResourceVersions: { ...known },
          }),
        );
  return Buffer.concat([bytes, fields.unknown ?? new Uint8Array()]);
}

function nodeOf(node: NodeFields | undefined) {
  if (node === undefined) return {};
  const { buildVersion, features = [], ...rest } = node;
  const [major = 0, minor = 0, patch = 0] = (buildVersion ?? "").split(".").map(Number);
  const version = { majorNumber: major, minorNumber: minor, patch };
  return {
    node: {
      ...rest,
      clientFeatures: [...features],
      ...(buildVersion !== undefined && {
        userAgentVersionType: { case: "userAgentBuildVersion", value: { version } } as const,
      }),
    },
  };
}

function errorOf(error: RequestFields["error"]) {
  if (error === undefined) return {};
  return { errorDetail: typeof error === "string" ? { code: 3, message: error } : error };
}
