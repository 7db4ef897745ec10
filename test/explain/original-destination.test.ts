import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, type TestContext, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { envoyBinary, envoyLines, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { ask, configurationOf, filter, forwardedIn, httpManager, listenerOf, tableOf } from "./configuration.ts";

/* A cluster that leads where the client wanted to go leads to nobody behind a listener that cannot know. */

const dialled: JsonObject = { name: "a", type: "ORIGINAL_DST", lb_policy: "CLUSTER_PROVIDED", connect_timeout: "1s" };
const table = tableOf([{ match: { prefix: "/" }, route: { cluster: "a" } }]);

const listeners: Readonly<Record<string, JsonObject>> = {
  plain: {},
  inspected: {
    listener_filters: [
      filter("tls", "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
      filter("http", "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"),
    ],
  },
  told: { listener_filters: [filter("told", "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol")] },
};

const listenerNamed = (name: string, address: JsonObject): JsonObject => ({
  ...listenerOf(httpManager(table)),
  ...listeners[name],
  ...{ name, address },
});

async function startUpstream({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<number> {
  const server = createServer((_, response) => response.end("here"));
  onTestFinished(async () => void server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** All that comes back for these bytes. */
async function exchanged(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  let answer = "";
  socket.on("data", (text: string) => {
    answer += text;
  });
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("sends on what its listener knows the destination of", async (context) => {
    const { path } = await envoyBinary(context, line);
    const upstream = await startUpstream(context);
    const anyPort: JsonObject = { socket_address: { address: "127.0.0.1", port_value: 0 } };
    const all = Object.keys(listeners).map((name) => listenerNamed(name, anyPort));
    const envoy = await launchTestEnvoy({
      ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), concurrency: 1 },
      bootstrap: staticBootstrap(all, [dialled]),
    });
    const admin = await envoy.ready();
    const seen: Record<string, boolean> = {};
    for (const { name, address } of await admin.listeners()) {
      const preface = name === "told" ? `PROXY TCP4 127.0.0.1 127.0.0.1 4000 ${upstream}\r\n` : "";
      const answer = await exchanged(
        address?.port ?? 0,
        `${preface}GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1.1 (200|503) /);
      seen[name] = answer.endsWith("here");
    }
    expect(seen).toEqual({ plain: false, inspected: false, told: true });
    expect(Object.fromEntries(Object.keys(listeners).map((name) => [name, isKnownBy(name)]))).toEqual(seen);
  });
});

function isKnownBy(name: string): boolean {
  const address: JsonObject = { socket_address: { address: "127.0.0.1", port_value: 80 } };
  const configuration = configurationOf({ listeners: [listenerNamed(name, address)], clusters: [dialled] });
  const { leadsTo } = forwardedIn(ask(configuration, { url: "http://a/" }));
  return leadsTo.kind === "original-destination" && leadsTo.isKnown;
}

test("who gets a connection handed over knows it from the other", () => {
  const at = (address: string, port: number, more: JsonObject = {}): JsonObject => ({
    ...listenerOf(httpManager(table)),
    ...{ name: address, address: { socket_address: { address, port_value: port } } },
    ...more,
  });
  const capturing = at("0.0.0.0", 15001, { use_original_dst: true });
  const configuration = configurationOf({ listeners: [capturing, at("10.0.0.1", 80)], clusters: [dialled] });
  const leadsTo = (url: string) => {
    const explained = ask(configuration, { url });
    return [explained.listener?.name, forwardedIn(explained).leadsTo];
  };
  const known = (address: string) => ({ kind: "original-destination", isKnown: true, address });
  expect(leadsTo("http://10.0.0.1/")).toEqual(["10.0.0.1", known("10.0.0.1:80")]);
  expect(leadsTo("http://10.0.0.2/")).toEqual(["0.0.0.0", known("10.0.0.2:80")]);
});
