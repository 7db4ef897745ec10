import { once } from "node:events";
import { connect } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { envoyBinary, envoyLines, launchTestEnvoy } from "../support/envoy.ts";
import { staticBootstrap } from "../support/static-envoy.ts";
import { ask, configurationOf, filter, resultsOf, tableOf } from "./configuration.ts";

/* A CONNECT is for a host and a port; what is none is refused before any route is looked for. */

const targets: Readonly<Record<number, readonly string[]>> = {
  204: [
    ...["a.com:80", "A.COM:80", "a.com.:80", "a:0", "a:65535", "a:00000080", "-:80", "..:80", "@b:80"],
    ...["10.0.0.1:80", "[::1]:80", "[1.2.3.4]:80"],
  ],
  400: [
    ...["a.com", "a.com:", "a.com:x", "a.com:8x", "a.com:+80", "a.com:-1", "a:65536", "a:99999", ":80", "10.0.0.1"],
    ...["[::1]", "::1:80", "[]:80", "[:]:80", "[g]:80", "[::1]80", "[::1%25a]:80", "[[::1]]:80", "a:b:80"],
    ...["a_b:80", "a@b:80", "a%41:80", "*:80", "a.com:80/x", "/x", "http://a.com:80/", "a.com:80?x"],
  ],
};

const listenerAt = (port: number): JsonObject => ({
  name: "connect",
  address: { socket_address: { address: "127.0.0.1", port_value: port } },
  filter_chains: [
    {
      filters: [
        filter("http", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
          stat_prefix: "http",
          route_config: tableOf([{ match: { connect_matcher: {} }, direct_response: { status: 204 } }]),
          upgrade_configs: [{ upgrade_type: "CONNECT" }],
          http_filters: [filter("router", "envoy.extensions.filters.http.router.v3.Router")],
        }),
      ],
    },
  ],
});

async function statusOf(port: number, target: string): Promise<number> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: a\r\n\r\n`);
  const [answer] = await once(socket, "data");
  socket.destroy();
  return Number(/^HTTP\/1\.1 ([0-9]+)/.exec(answer)?.[1]);
}

const configuration = configurationOf({ listeners: [listenerAt(80)] });

function toldOf(authority: string): unknown {
  const [result] = resultsOf(ask(configuration, { url: "http://a/", method: "CONNECT", authority }));
  return result?.kind === "answer" ? result.status : result;
}

test.for(envoyLines)("Envoy %s takes a CONNECT to what we say", async (line, context) => {
  const { path } = await envoyBinary(context, line);
  const envoy = await launchTestEnvoy({
    ...{ cleanup: context.onTestFinished, launcher: processLauncher(path), concurrency: 1 },
    bootstrap: staticBootstrap([listenerAt(0)]),
  });
  const [listener] = await (await envoy.ready()).listeners();
  for (const [status, all] of Object.entries(targets)) {
    for (const target of all) {
      const there = await statusOf(listener?.address?.port ?? 0, target);
      expect({ target, there, here: toldOf(target) }).toEqual({ target, there: Number(status), here: Number(status) });
    }
  }
});
