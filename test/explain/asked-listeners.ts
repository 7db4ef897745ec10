import { once } from "node:events";
import { connect } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import type { EnvoyBinary } from "../../src/app/envoy/find.ts";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import type { Connection } from "../../src/explain/connection.ts";
import { type Cleanup, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { clientHello } from "./client-hello.ts";

const typeUrl = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`;

const listenerFilter = (name: string, type: string): JsonObject => ({
  name: `envoy.filters.listener.${name}`,
  typed_config: { "@type": typeUrl(`listener.${name}.v3.${type}`) },
});

/** The client says in a header whose connection it is, and where to. */
export const proxyProtocol = listenerFilter("proxy_protocol", "ProxyProtocol");

export const tlsInspector = listenerFilter("tls_inspector", "TlsInspector");
export const httpInspector = listenerFilter("http_inspector", "HttpInspector");

/** A filter chain that answers each connection with its name. */
export const answering = (chain: JsonObject): JsonObject => ({
  ...chain,
  filters: [
    {
      name: "answer",
      typed_config: {
        "@type": typeUrl("network.direct_response.v3.Config"),
        response: { inline_string: String(chain["name"]) },
      },
    },
  ],
});

/** A listener with these filter chains, on a port from the system. */
export const listenerWith = (name: string, chains: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  ...{ name, stat_prefix: name },
  address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
  listener_filters: [proxyProtocol, tlsInspector, httpInspector],
  filter_chains: chains.map(answering),
  ...more,
});

export interface AskedListeners {
  /** What the listener of this name answers: the name of a filter chain; empty when it closes the connection. */
  readonly ask: (listener: string, connection: Connection) => Promise<string>;
  /** How many connections were closed so far as no filter chain was found for them. */
  readonly chainless: () => Promise<number>;
  readonly portOf: (listener: string) => number;
}

/** An Envoy with these listeners. It fails to start when one of them is not to its liking. */
export async function askedListeners(
  { path }: EnvoyBinary,
  listeners: JsonObject[],
  cleanup: Cleanup,
): Promise<AskedListeners> {
  const bootstrap = staticBootstrap(listeners);
  const envoy = await launchTestEnvoy({ cleanup, launcher: processLauncher(path), bootstrap, concurrency: 1 });
  const admin = await envoy.ready({ timeoutMs: 60_000 });
  const ports = new Map((await admin.listeners()).map(({ name, address }) => [name, address?.port ?? 0]));
  const portOf = (listener: string): number => ports.get(listener) ?? 0;
  return {
    portOf,
    ask: (listener, connection) => answerTo(portOf(listener), connection),
    async chainless() {
      const counts = await admin.stats("^listener\\..*\\.no_filter_chain_match$");
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
  };
}

async function answerTo(port: number, connection: Connection): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    answer += text;
  });
  socket.write(Buffer.concat([proxyHeader(connection), firstBytes(connection)]));
  await once(socket, "close").catch((cause: NodeJS.ErrnoException) => {
    // It is closed while what it was sent is not read.
    if (cause.code !== "ECONNRESET") throw cause;
  });
  return answer;
}

/** Who calls whom, as the PROXY protocol says it. */
export function proxyHeader({ source, destination }: Pick<Connection, "source" | "destination">): Buffer {
  const family = source.address.includes(":") ? "TCP6" : "TCP4";
  const words = ["PROXY", family, source.address, destination.address, source.port, destination.port];
  return Buffer.from(`${words.join(" ")}\r\n`);
}

/** Of plain text, by the application protocol that Envoy is to find. */
const plainTexts: Readonly<Record<string, string>> = {
  "": "\r\nno HTTP\r\n",
  "http/1.0": "GET / HTTP/1.0\r\n\r\n",
  "http/1.1": "GET / HTTP/1.1\r\nhost: a.com\r\n\r\n",
  h2c: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};

/** What plain text may be. */
export const plainProtocols: readonly string[] = Object.keys(plainTexts);

function firstBytes({ transportProtocol, serverName, applicationProtocols }: Connection): Buffer {
  if (transportProtocol === "tls") return clientHello(serverName, applicationProtocols);
  const text = plainTexts[applicationProtocols[0] ?? ""];
  if (text === undefined) throw new Error(`no plain text is ${applicationProtocols[0]}`);
  return Buffer.from(text);
}
