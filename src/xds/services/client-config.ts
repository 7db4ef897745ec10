import { create, type JsonObject, toBinary, type UnknownEnum } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { resourceType, type TypeName } from "../../envoy/resource-types.ts";
import { ClientResourceStatus } from "../../gen/envoy/admin/v3/config_dump_shared_pb.ts";
import { ClientConfigSchema, ConfigStatus } from "../../gen/envoy/service/status/v3/csds_pb.ts";
import type { InterceptionMode, ProxyNode } from "../../model/proxy.ts";

/** One resource of one client, in Envoy's words. */
export interface ResourceStatus {
  readonly type: TypeName;
  readonly name: string;
  /** Last sent, or held by the client since an earlier stream. Absent: the client was never sent it. */
  readonly version?: string;
  /** When the client was last told, or last said, something of it. Milliseconds since the epoch. */
  readonly updatedAtMs?: number;
  readonly config: keyof typeof configStatuses;
  readonly client: keyof typeof clientStatuses;
  /** Why and when it was last refused; gone with the next acceptance. */
  readonly error?: { readonly version: string; readonly atMs: number; readonly reason: string };
  /** What the version says; absent where nobody has it any more, or nobody may see it. */
  readonly bytes?: Uint8Array;
}

/** As the management server sees it. */
const configStatuses = {
  SYNCED: ConfigStatus.SYNCED,
  NOT_SENT: ConfigStatus.NOT_SENT,
  STALE: ConfigStatus.STALE,
  ERROR: ConfigStatus.ERROR,
} as const;

/** As the client does. `RECEIVED_ERROR` is newer than the packaged Envoy API; its number is that of xDS's `ClientResourceStatus`. */
const clientStatuses = {
  REQUESTED: ClientResourceStatus.REQUESTED,
  DOES_NOT_EXIST: ClientResourceStatus.DOES_NOT_EXIST,
  ACKED: ClientResourceStatus.ACKED,
  NACKED: ClientResourceStatus.NACKED,
  RECEIVED_ERROR: 5 as UnknownEnum,
} as const;

/** Bytes of a `ClientConfig`. The bodies of secrets never stand in it, whoever gives them. */
export function encodeClientConfig(node: ProxyNode, resources: readonly ResourceStatus[]): Uint8Array {
  const { id, locality, client } = node;
  const { region, zone, subzone } = locality;
  const config = create(ClientConfigSchema, {
    node: {
      id,
      metadata: metadataOf(node),
      locality: { region, zone, subZone: subzone },
      userAgentName: client.name,
      ...(client.version !== "" && {
        userAgentVersionType: { case: "userAgentVersion" as const, value: client.version },
      }),
    },
    genericXdsConfigs: resources.map(genericConfig),
  });
  return toBinary(ClientConfigSchema, config);
}

function genericConfig({ type, name, version, updatedAtMs, config, client, error, bytes }: ResourceStatus) {
  const typeUrl = resourceType(type).url;
  return {
    typeUrl,
    name,
    versionInfo: version ?? "",
    configStatus: configStatuses[config],
    clientStatus: clientStatuses[client],
    ...(bytes !== undefined && type !== "SDS" && { xdsConfig: { typeUrl, value: bytes } }),
    ...(updatedAtMs !== undefined && { lastUpdated: timestampFromMs(updatedAtMs) }),
    ...(error !== undefined && {
      errorState: {
        lastUpdateAttempt: timestampFromMs(error.atMs),
        details: error.reason,
        versionInfo: error.version,
      },
    }),
  };
}

const interceptionModes: Readonly<Record<InterceptionMode, string>> = {
  redirect: "REDIRECT",
  tproxy: "TPROXY",
  none: "NONE",
};

/** A node's metadata again, from what was kept of it. */
export function metadataOf(node: ProxyNode): JsonObject {
  const texts: Readonly<Record<string, string>> = {
    NAMESPACE: node.namespace,
    SERVICE_ACCOUNT: node.serviceAccount,
    CLUSTER_ID: node.clusterId,
    NETWORK: node.network,
    INSTANCE_IPS: node.addresses.join(","),
    INTERCEPTION_MODE: interceptionModes[node.interceptionMode],
  };
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
    ...(Object.keys(node.labels).length > 0 && { LABELS: { ...node.labels } }),
  };
}
