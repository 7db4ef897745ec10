import type { JsonObject } from "@bufbuild/protobuf";

/** Name of the static cluster that the control plane is reached through. */
export const xdsClusterName = "xds";

/** More connections than a proxy of ours ever needs; Envoy warns at start when no limit is set. */
const maxDownstreamConnections = 65_536;

/** Of RE2's instructions; expressions of a thousand characters stay far below it. */
const maxRegexProgramSize = 32_768;

export interface BootstrapNode {
  readonly id: string;
  /** What access logs and statistics call the workload, for example `reviews.shop`. Envoy refuses an empty one. */
  readonly cluster: string;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  readonly metadata?: JsonObject;
}

export interface BootstrapOptions {
  readonly node: BootstrapNode;
  /** Where the control plane listens (plain text), and which form of the protocol to speak with it. */
  readonly xds: { readonly host: string; readonly port: number; readonly variant: "delta" | "sotw" };
  /** Port 0: the system chooses one (`--admin-address-path` tells it). Anyone who reaches this port owns the proxy: keep it on loopback. */
  readonly admin: { readonly host: string; readonly port: number };
}

/** The bootstrap with which a stock Envoy (1.36 or newer) takes all else from the control plane: proto JSON. */
export function bootstrapFor({ node, xds, admin }: BootstrapOptions): JsonObject {
  return {
    node: nodeOf(node),
    admin: { address: socketAddress(admin.host, admin.port) },
    dynamic_resources: {
      ads_config: {
        api_type: xds.variant === "delta" ? "DELTA_GRPC" : "GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            envoy_grpc: {
              cluster_name: xdsClusterName,
              // Envoy's own ceiling of 30 s leaves a proxy alone for long after a control plane came back.
              retry_policy: { retry_back_off: { base_interval: "0.5s", max_interval: "10s" } },
            },
          },
        ],
      },
      cds_config: { ads: {}, resource_api_version: "V3" },
      lds_config: { ads: {}, resource_api_version: "V3" },
    },
    // The control plane's cluster stays the first one: others may refer to it while Envoy starts (envoy#27702).
    static_resources: { clusters: [xdsCluster(xds.host, xds.port)] },
    // Envoy up to 1.36 refuses regular expressions whose program is larger than 100 unless it is told otherwise; Istio's
    // proxies are told the same.
    layered_runtime: {
      layers: [
        { name: "fairway", static_layer: { "re2.max_program_size.error_level": maxRegexProgramSize } },
        { name: "admin", admin_layer: {} },
      ],
    },
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            max_active_downstream_connections: String(maxDownstreamConnections),
          },
        },
      ],
    },
  };
}

export interface NodeName {
  readonly kind: "sidecar" | "gateway";
  /** The proxy's own address. */
  readonly ip: string;
  readonly name: string;
  readonly namespace: string;
  /** The mesh's DNS domain, for example `cluster.local`. */
  readonly domain: string;
}

/** The `node.id` that Istio's proxies use too: `<sidecar|router>~<ip>~<name>.<namespace>~<namespace>.svc.<domain>`. */
export function nodeIdOf({ kind, ip, name, namespace, domain }: NodeName): string {
  const role = kind === "gateway" ? "router" : "sidecar";
  return `${role}~${ip}~${name}.${namespace}~${namespace}.svc.${domain}`;
}

function nodeOf({ id, cluster, locality, metadata }: BootstrapNode): JsonObject {
  return {
    id,
    cluster,
    ...(locality && { locality: { region: locality.region, zone: locality.zone, sub_zone: locality.subzone } }),
    ...(metadata && { metadata }),
  };
}

/** Keepalive on both levels: a control plane that vanished without a word (machine gone, NAT forgot) is noticed in about 35 s. */
function xdsCluster(host: string, port: number): JsonObject {
  return {
    name: xdsClusterName,
    type: isIpAddress(host) ? "STATIC" : "STRICT_DNS",
    connect_timeout: "5s",
    upstream_connection_options: {
      tcp_keepalive: { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 },
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: "30s", timeout: "5s" } },
        },
      },
    },
    load_assignment: {
      cluster_name: xdsClusterName,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(host, port) } }] }],
    },
  };
}

const socketAddress = (address: string, port: number): JsonObject => ({
  socket_address: { address, port_value: port },
});

/** A DNS name has no colon, and its last label is never a number. */
const isIpAddress = (host: string): boolean => host.includes(":") || /\.?\d+$/.test(host);
