import type { JsonObject } from "@bufbuild/protobuf";
import type { CaptureMode, Family } from "../../src/agent/capture-options.ts";

interface FamilyAddresses {
  readonly any: string;
  /** Where the application is asked from in redirect mode. */
  readonly source: string;
  /** The workload's own address. */
  readonly own: string;
}

/** The name that leads to the workload itself, at port 8080. */
export const selfHost = "self.test";

/** A sidecar as a control plane would have it: whatever is captured goes on to where it was meant for, and the answer says which way it went. */
export function sidecarConfig(mode: CaptureMode, families: Readonly<Record<Family, FamilyAddresses>>): JsonObject {
  const all = Object.entries(families);
  return {
    node: { id: "sidecar", cluster: "sidecar" },
    admin: { address: address("127.0.0.1", 0) },
    static_resources: {
      listeners: all.flatMap(([family, { any }]) => [
        listener({
          name: "outbound",
          bind: address(any, 15_001),
          hosts: [host("self", [selfHost], `self ${family}`), host("any", ["*"], "passthrough")],
        }),
        listener({
          name: "inbound",
          bind: address(any, 15_006),
          hosts: [host("any", ["*"], mode === "tproxy" ? "passthrough" : `application ${family}`)],
          isTransparent: mode === "tproxy",
        }),
      ]),
      clusters: [
        originalDestination("passthrough"),
        ...all.flatMap(([family, { source, own }]) => [
          {
            ...originalDestination(`application ${family}`),
            upstream_bind_config: { source_address: source4(source) },
          },
          {
            name: `self ${family}`,
            load_assignment: {
              cluster_name: `self ${family}`,
              endpoints: [{ lb_endpoints: [{ endpoint: { address: address(own, 8080) } }] }],
            },
          },
        ]),
      ],
    },
  };
}

const source4 = (source: string): JsonObject => ({ address: source, port_value: 0 });

const address = (host: string, port: number): JsonObject => ({ socket_address: { address: host, port_value: port } });

const host = (name: string, domains: string[], cluster: string): JsonObject => ({
  name,
  domains,
  routes: [{ match: { prefix: "/" }, route: { cluster } }],
});

const originalDestination = (name: string): JsonObject => ({
  name,
  type: "ORIGINAL_DST",
  lb_policy: "CLUSTER_PROVIDED",
});

const extension = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.${type}`, ...config },
});

interface ListenerShape {
  readonly name: string;
  readonly bind: JsonObject;
  readonly hosts: JsonObject[];
  readonly isTransparent?: boolean;
}

const listener = ({ name, bind, hosts, isTransparent = false }: ListenerShape): JsonObject => ({
  name: `${name} ${JSON.stringify(bind)}`,
  address: bind,
  ...(isTransparent && { transparent: true }),
  listener_filters: [
    extension("envoy.filters.listener.original_dst", "listener.original_dst.v3.OriginalDst"),
    ...(isTransparent
      ? [extension("envoy.filters.listener.original_src", "listener.original_src.v3.OriginalSrc", { mark: 1337 })]
      : []),
  ],
  filter_chains: [
    {
      filters: [
        extension("http", "network.http_connection_manager.v3.HttpConnectionManager", {
          stat_prefix: name,
          route_config: {
            virtual_hosts: hosts,
            response_headers_to_add: [
              {
                header: { key: "x-via", value: `${name} %DOWNSTREAM_LOCAL_ADDRESS%` },
                append_action: "APPEND_IF_EXISTS_OR_ADD",
              },
            ],
          },
          http_filters: [extension("envoy.filters.http.router", "http.router.v3.Router")],
        }),
      ],
    },
  ],
});
