import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import type { EnvoyBinary } from "../../src/app/envoy/find.ts";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import type { Request } from "../../src/explain/request.ts";
import { type Cleanup, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import type { Echo } from "./answers.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** What one listener does: settings of its HTTP connection manager, and its route table; both as proto JSON. */
export interface Asked {
  readonly manager: JsonObject;
  readonly table: JsonObject;
  /** HTTP filters before the router. */
  readonly filters?: readonly JsonObject[];
  readonly transportSocket?: JsonObject;
  readonly listenerFilters?: readonly JsonObject[];
}

export interface AskedEnvoy {
  /** Sends a request to one of the listeners. */
  readonly ask: (listener: number, request: Request) => Promise<Answer>;
  /** Where it listens. */
  readonly portOf: (listener: number) => number;
}

const managerType =
  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const routerType = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

export const listenerFor = (
  { manager, table, filters = [], transportSocket, listenerFilters = [] }: Asked,
  index: number,
): JsonObject => ({
  name: String(index),
  address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
  listener_filters: [...listenerFilters],
  filter_chains: [
    {
      ...(transportSocket && { transport_socket: transportSocket }),
      filters: [
        {
          name: "http",
          typed_config: {
            "@type": managerType,
            ...manager,
            stat_prefix: "http",
            route_config: table,
            http_filters: [...filters, { name: "envoy.filters.http.router", typed_config: { "@type": routerType } }],
          },
        },
      ],
    },
  ],
});

/** The clusters that routes may lead to. */
export const upstreams = ["one", "two", "three"] as const;

const cluster = (name: string, port: number): JsonObject => ({
  name,
  type: "STATIC",
  load_assignment: {
    cluster_name: name,
    endpoints: [
      { lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } }] },
    ],
  },
});

/** A server that says what it was sent, and its own name; its port. */
function startUpstream(name: string, cleanup: Cleanup): Promise<number> {
  const server = createServer(({ url = "", rawHeaders, headers }, response) => {
    const sent = Map.groupBy(pairs(rawHeaders), ([key]) => key.toLowerCase());
    const echo: Echo = {
      ...{ authority: headers.host ?? "", path: url },
      headers: Object.fromEntries([...sent].map(([key, list]) => [key, list.map(([, value]) => value)])),
    };
    response.setHeader("x-cluster", name).end(JSON.stringify(echo));
  });
  server.on("connect", ({ url = "" }, socket) => {
    socket.on("error", () => {});
    socket.end(`HTTP/1.1 200 OK\r\nx-cluster: ${name}\r\nx-authority: ${url}\r\n\r\n`);
  });
  cleanup(async () => void server.close().closeAllConnections());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

const pairs = (flat: readonly string[]): (readonly [string, string])[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? "", flat[2 * i + 1] ?? ""]);

/** An Envoy with these listeners. It fails to start when one of them is not to its liking. */
export async function askedEnvoy(
  { path }: EnvoyBinary,
  listeners: readonly Asked[],
  cleanup: Cleanup,
): Promise<AskedEnvoy> {
  const clusters = await Promise.all(upstreams.map(async (name) => cluster(name, await startUpstream(name, cleanup))));
  const bootstrap = staticBootstrap(listeners.map(listenerFor), clusters);
  const envoy = await launchTestEnvoy({ cleanup, launcher: processLauncher(path), bootstrap, concurrency: 1 });
  const admin = await envoy.ready({ timeoutMs: 60_000 });
  const ports = new Map((await admin.listeners()).map(({ name, address }) => [name, address?.port ?? 0]));
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  cleanup(async () => agent.destroy());
  const portOf = (listener: number): number => ports.get(String(listener)) ?? 0;
  return { portOf, ask: (listener, request) => send(agent, portOf(listener), request) };
}

const send = (agent: Agent, port: number, { method, path, authority, headers }: Request): Promise<Answer> =>
  new Promise((resolve, reject) => {
    // Node writes a byte for a character.
    const bytes = (text: string): string => Buffer.from(text).toString("latin1");
    const flat = [["Host", authority], ...headers].flat().map(bytes);
    const sent = httpRequest(
      {
        agent,
        host: "127.0.0.1",
        port,
        method,
        path: path === undefined ? path : bytes(path),
        headers: flat,
        setHost: false,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          const values = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
          resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(values), body });
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
