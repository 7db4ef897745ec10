import type { JsonObject } from "@bufbuild/protobuf";
import { decode } from "../../src/base/decode.ts";
import { resourcesInDump } from "../../src/envoy/config-dump.ts";
import { explain } from "../../src/explain/explain.ts";
import type { Explanation, Forwarded, Result } from "../../src/explain/explanation.ts";
import { type Configuration, nowhere } from "../../src/explain/places.ts";
import { question } from "../../src/explain/question.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";

/* Small configurations in proto JSON: name what matters, the rest is ordinary. */

export interface Parts {
  readonly listeners?: readonly JsonObject[];
  readonly routes?: readonly JsonObject[];
  readonly clusters?: readonly JsonObject[];
  readonly endpoints?: readonly JsonObject[];
}

export const configurationOf = ({
  listeners = [],
  routes = [],
  clusters = [],
  endpoints = [],
}: Parts): Configuration => ({
  resources: resourcesInDump({
    configs: [
      { static_listeners: listeners.map((listener) => ({ listener })) },
      { static_route_configs: routes.map((route_config) => ({ route_config })) },
      { static_clusters: clusters.map((cluster) => ({ cluster })) },
      { static_endpoint_configs: endpoints.map((endpoint_config) => ({ endpoint_config })) },
    ],
  }),
  locate: nowhere,
});

const packed = (type: string, message: JsonObject = {}): JsonObject => ({
  "@type": `type.googleapis.com/${type}`,
  ...message,
});

export const filter = (name: string, type: string, message: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  name,
  typed_config: packed(type, message),
  ...more,
});

export const settings = packed;

const router = filter("router", "envoy.extensions.filters.http.router.v3.Router");

export const httpManager = (table: JsonObject, filters: readonly JsonObject[] = []): JsonObject =>
  filter("http", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "http",
    route_config: table,
    http_filters: [...filters, router],
  });

/** Parts of one route to the cluster `a`, and of the levels around it. */
export interface Around {
  readonly route?: JsonObject;
  readonly action?: JsonObject;
  readonly host?: JsonObject;
  readonly table?: JsonObject;
  readonly filters?: readonly JsonObject[];
}

export function managerAround({ route = {}, action = {}, host = {}, table = {}, filters = [] }: Around): JsonObject {
  const only: JsonObject = { match: { prefix: "/" }, route: { cluster: "a", ...action }, ...route };
  return httpManager(tableOf([only], { host, table }), filters);
}

/** Settings of a filter for a level. */
export const per = (name: string, message: JsonObject): JsonObject => ({
  typed_per_filter_config: { [name]: message },
});

/** On port 80 of all addresses. */
export const listenerOf = (...filters: readonly JsonObject[]): JsonObject => ({
  name: "all",
  address: { socket_address: { address: "0.0.0.0", port_value: 80 } },
  filter_chains: [{ filters: [...filters] }],
});

/** A table with one virtual host for all. */
export const tableOf = (routes: readonly JsonObject[], { host = {}, table = {} } = {}): JsonObject => ({
  name: "table",
  virtual_hosts: [{ name: "host", domains: ["*"], routes: [...routes], ...host }],
  ...table,
});

export const endpoint = (address: string, port = 80, more: JsonObject = {}): JsonObject => ({
  endpoint: { address: { socket_address: { address, port_value: port } } },
  ...more,
});

/** A cluster with these endpoints. */
export const clusterOf = (name: string, ...endpoints: readonly JsonObject[]): JsonObject => ({
  name,
  type: "STATIC",
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [...endpoints] }] },
});

export function ask(configuration: Configuration, body: JsonObject): Explanation {
  const asked = decode(question, body);
  if (!asked.ok) throw new Error(asked.problems.map(({ message }) => message).join(" "));
  return explain(configuration, asked.value, semanticsOf(undefined));
}

/** Of the levels around one route, which leads to the cluster `a`; there is `b` too. */
export const askAround = (around: Around, request: JsonObject = {}): Explanation =>
  ask(configurationOf({ listeners: [listenerOf(managerAround(around))], clusters: [clusterOf("a"), clusterOf("b")] }), {
    url: "http://a/",
    ...request,
  });

export const resultsOf = ({ outcomes }: Explanation): readonly Result[] => outcomes.map(({ result }) => result);

export function forwardedIn(explanation: Explanation): Forwarded {
  const [result] = resultsOf(explanation);
  if (result?.kind !== "forward") throw new Error(`it is not sent on: ${JSON.stringify(result)}`);
  return result;
}
