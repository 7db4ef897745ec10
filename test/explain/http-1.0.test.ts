import { once } from "node:events";
import { connect } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { envoyBinary, envoyLines, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { ask, configurationOf, filter, resultsOf, tableOf } from "./configuration.ts";

/* Who speaks HTTP/1.0 is told to come back with something newer, unless a connection manager takes it. */

const table = tableOf([{ match: { prefix: "/" }, direct_response: { status: 204 } }]);

const managers: Readonly<Record<string, JsonObject>> = {
  usual: {},
  patient: { http_protocol_options: { accept_http_10: true } },
};

const listenerNamed = (name: string, portValue: number): JsonObject => ({
  name,
  address: { socket_address: { address: "127.0.0.1", port_value: portValue } },
  filter_chains: [
    {
      filters: [
        filter("http", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
          ...{ stat_prefix: "http", route_config: table, ...managers[name] },
          http_filters: [filter("router", "envoy.extensions.filters.http.router.v3.Router")],
        }),
      ],
    },
  ],
});

async function statusOf(port: number, version: string): Promise<number> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.write(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`);
  const [answer] = await once(socket, "data");
  socket.end();
  await once(socket, "close");
  return Number(/^HTTP\/1\.[01] ([0-9]+)/.exec(answer)?.[1]);
}

test.for(envoyLines)("Envoy %s takes HTTP/1.0 where we say", async (line, context) => {
  const { path } = await envoyBinary(context, line);
  const envoy = await launchTestEnvoy({
    ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), concurrency: 1 },
    bootstrap: staticBootstrap(Object.keys(managers).map((name) => listenerNamed(name, 0))),
  });
  const admin = await envoy.ready();
  const seen: unknown[] = [];
  for (const { name, address } of await admin.listeners()) {
    for (const version of ["1.0", "1.1"]) {
      const there = await statusOf(address?.port ?? 0, version);
      const configuration = configurationOf({ listeners: [listenerNamed(name, 80)] });
      const [here] = resultsOf(ask(configuration, { url: "http://a/", applicationProtocols: [`http/${version}`] }));
      seen.push([name, version, there, here?.kind === "answer" ? here.status : here]);
    }
  }
  expect(seen).toEqual([
    ["usual", "1.0", 426, 426],
    ["usual", "1.1", 204, 204],
    ["patient", "1.0", 204, 204],
    ["patient", "1.1", 204, 204],
  ]);
});
