import type { JsonObject } from "@bufbuild/protobuf";

/** A bootstrap without a control plane: these listeners and clusters (proto JSON), an admin port from the system. */
export const staticBootstrap = (listeners: JsonObject[] = [], clusters: JsonObject[] = []): JsonObject => ({
  node: { id: "static", cluster: "static" },
  admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
  static_resources: { listeners, clusters },
});

/** A listener on a port from the system, with one route for everything: `action` is its `direct_response` or `route`. */
export const httpListener = (name: string, action: JsonObject): JsonObject => ({
  name,
  address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
  filter_chains: [
    {
      filters: [
        {
          name: "http",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix: name,
            route_config: {
              name,
              virtual_hosts: [{ name, domains: ["*"], routes: [{ match: { prefix: "/" }, ...action }] }],
            },
            http_filters: [
              {
                name: "envoy.filters.http.router",
                typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
              },
            ],
          },
        },
      ],
    },
  ],
});

/** A listener that answers every request itself. */
export const answeringListener = (name: string, body: string): JsonObject =>
  httpListener(name, { direct_response: { status: 200, body: { inline_string: body } } });
