import type { JsonObject } from "@bufbuild/protobuf";
import { type BootstrapOptions, bootstrapFor, xdsClusterName } from "../../src/envoy/bootstrap.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { rawResource } from "./raw-resources.ts";

/* The few resources that tests with an Envoy and a feed of their own are made of. */

export type Variant = "delta" | "sotw";

/** Of the aggregated stream. */
export const overAds: JsonObject = { ads: {}, resource_api_version: "V3" };

/** Of a stream of its own, on the method of its type. */
export const overOwnStream = (variant: Variant): JsonObject => ({
  resource_api_version: "V3",
  api_config_source: {
    api_type: variant === "delta" ? "DELTA_GRPC" : "GRPC",
    transport_api_version: "V3",
    set_node_on_first_message_only: true,
    grpc_services: [
      {
        envoy_grpc: {
          cluster_name: xdsClusterName,
          retry_policy: { retry_back_off: { base_interval: "0.1s", max_interval: "0.3s" } },
        },
      },
    ],
  },
});

/** A cluster whose endpoints come from `source`. */
export const edsCluster = (name: string, source: JsonObject, fields: JsonObject = {}): Resource =>
  rawResource("CDS", {
    ...{ name, type: "EDS", connect_timeout: "1s" },
    eds_cluster_config: { eds_config: source },
    ...fields,
  });

/** Ports of 127.0.0.1. */
export const assignment = (name: string, ports: readonly number[]): Resource =>
  rawResource("EDS", {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: ports.map((port) => ({
          endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
        })),
      },
    ],
  });

const connectionManager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3";

/** A listener on a port of 127.0.0.1 that the system chooses. `manager`: its routes; `filters`: those before the router. */
export const httpListener = (
  name: string,
  manager: JsonObject,
  { filters = [], chain = {} }: { readonly filters?: readonly JsonObject[]; readonly chain?: JsonObject } = {},
): Resource =>
  rawResource("LDS", {
    name,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [
      {
        filters: [
          {
            name: "http",
            typed_config: {
              "@type": `${connectionManager}.HttpConnectionManager`,
              stat_prefix: name,
              ...manager,
              http_filters: [
                ...filters,
                {
                  name: "envoy.filters.http.router",
                  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                },
              ],
            },
          },
        ],
        ...chain,
      },
    ],
  });

/** Routes from a table that comes from `source`. */
export const byRds = (table: string, source: JsonObject): JsonObject => ({
  rds: { route_config_name: table, config_source: source },
});

export const virtualHost = (name: string, domain: string, routes: readonly JsonObject[]): JsonObject => ({
  name,
  domains: [domain],
  routes: [...routes],
});

/** Everything goes to this cluster. */
export const toCluster = (cluster: string): JsonObject => ({ match: { prefix: "/" }, route: { cluster } });

/** Envoy itself answers. */
export const answer = (text: string, match: JsonObject = {}): JsonObject => ({
  match: { prefix: "/", ...match },
  direct_response: { status: 200, body: { inline_string: text } },
});

export const routeTable = (name: string, hosts: readonly JsonObject[], fields: JsonObject = {}): Resource =>
  rawResource("RDS", { name, virtual_hosts: [...hosts], ...fields });

/** One virtual host for everybody. */
export const oneHost = (routes: readonly JsonObject[]): readonly JsonObject[] => [virtualHost("all", "*", routes)];

/** A bootstrap without ADS: clusters and listeners, too, come on streams of their own. */
export function bootstrapWithoutAds(options: BootstrapOptions): JsonObject {
  const source = overOwnStream(options.xds.variant);
  return { ...bootstrapFor(options), dynamic_resources: { cds_config: source, lds_config: source } };
}

/** The bootstrap of ADS, with these layers of runtime from the control plane. */
export function bootstrapWithRuntime(options: BootstrapOptions, layers: readonly string[]): JsonObject {
  return {
    ...bootstrapFor(options),
    layered_runtime: { layers: layers.map((name) => ({ name, rtds_layer: { name, rtds_config: overAds } })) },
  };
}
