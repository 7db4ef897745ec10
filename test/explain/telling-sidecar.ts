import type { JsonObject } from "@bufbuild/protobuf";
import { staticBootstrap } from "../support/static-envoy.ts";
import { listenerWith, proxyProtocol } from "./asked-listeners.ts";
import type { Call } from "./call.ts";
import type { Parts } from "./configuration.ts";

/*
 * A sidecar's resources, changed so that an Envoy without privileges takes calls for them and tells what it did. Who listens at
 * which address, filters, chains, and routes stay as they are; clusters have nobody to send to.
 */

/** Who takes calls, by their way: names of listeners. */
export type Entrances = Readonly<Record<Call["way"], string>>;

export const entrances: Entrances = { outbound: "virtualOutbound", inbound: "virtualInbound", dialled: "dialled" };

/** Calls to addresses of the proxy come here and are handed over to who listens there. */
const dialled: JsonObject = listenerWith(entrances.dialled, [{ name: "nobody" }], {
  use_original_dst: true,
  listener_filters: [proxyProtocol],
});

/** `file`: where it tells. */
export function tellingBootstrap({ listeners = [], routes = [], clusters = [] }: Parts, file: string): JsonObject {
  const tables = new Map(routes.map(bare).map((table) => [String(table["name"]), table]));
  const tellingListeners = listeners.map(bare).map((listener) => {
    const name = String(listener["name"]);
    const told = telling(listener, { tables, file });
    return name === entrances.outbound || name === entrances.inbound ? entrance(told) : { ...told, bindToPort: false };
  });
  const empty = clusters.map(({ name }) => ({ name: String(name), type: "STATIC" }));
  return staticBootstrap([dialled, ...tellingListeners], empty);
}

const bare = ({ "@type": _, ...message }: JsonObject): JsonObject => message;

/**
 * Calls come by the PROXY protocol, which restores their destination as iptables' redirection does: what finds that out by itself
 * finds nothing here, and leaves it as it is. To be transparent takes privileges.
 */
function entrance({ transparent: _, additionalAddresses: __, address: ___, ...listener }: JsonObject): JsonObject {
  return {
    ...listener,
    address: { socketAddress: { address: "127.0.0.1", portValue: 0 } },
    listenerFilters: [proxyProtocol, ...objects(listener["listenerFilters"])],
  };
}

interface Telling {
  readonly tables: ReadonlyMap<string, JsonObject>;
  readonly file: string;
}

const objects = (list: unknown): readonly JsonObject[] => (Array.isArray(list) ? list : []);

/** Chains are called by their places. */
function telling({ defaultFilterChain, ...listener }: JsonObject, { tables, file }: Telling): JsonObject {
  const name = String(listener["name"]);
  const chain = (json: JsonObject, place: string): JsonObject => ({
    ...json,
    name: place,
    filters: objects(json["filters"]).map((filter) =>
      withTable(filter, { tables, log: logTo(file, { listener: name, chain: place, ...requestFields }) }),
    ),
  });
  return {
    ...listener,
    accessLog: [logTo(file, { listener: name, ...connectionFields })],
    filterChains: objects(listener["filterChains"]).map((one, index) => chain(one, `/filterChains/${index}`)),
    ...(defaultFilterChain !== undefined && {
      defaultFilterChain: chain(defaultFilterChain as JsonObject, "/defaultFilterChain"),
    }),
  };
}

const key = { port: "%DOWNSTREAM_REMOTE_PORT%" };
const connectionFields = { ...key, chain: "%FILTER_CHAIN_NAME%", cluster: "%UPSTREAM_CLUSTER_RAW%" };
const requestFields = {
  ...key,
  route: "%ROUTE_NAME%",
  cluster: "%UPSTREAM_CLUSTER_RAW%",
  status: "%RESPONSE_CODE%",
  location: "%RESP(LOCATION)%",
};

const logTo = (path: string, fields: JsonObject): JsonObject => ({
  name: "told",
  typedConfig: {
    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
    path,
    logFormat: { jsonFormat: fields },
  },
});

/** An HTTP connection manager has its route table inside, and tells of each request; other filters stay as they are. */
function withTable(
  filter: JsonObject,
  { tables, log }: { readonly tables: Telling["tables"]; readonly log: JsonObject },
): JsonObject {
  const { rds, ...manager } = filter["typedConfig"] as JsonObject;
  if (!String(manager["@type"]).endsWith(".HttpConnectionManager")) return filter;
  const table = rds === undefined ? manager["routeConfig"] : tables.get(String((rds as JsonObject)["routeConfigName"]));
  return {
    ...filter,
    typedConfig: {
      ...manager,
      accessLog: [log],
      ...(table !== undefined && { routeConfig: withPlaces(table as JsonObject) }),
    },
  };
}

/** Routes are called by their places. */
const withPlaces = (table: JsonObject): JsonObject => ({
  ...table,
  validateClusters: false,
  virtualHosts: objects(table["virtualHosts"]).map((host) => ({
    ...host,
    routes: objects(host["routes"]).map((route, index) => ({ ...route, name: `${host["name"]} ${index}` })),
  })),
});
