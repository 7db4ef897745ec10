import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { nodeIdOf } from "../../src/envoy/bootstrap.ts";
import { envoyLines, startEnvoy } from "../support/envoy.ts";
import { freePort } from "../support/free-port.ts";
import { instance, service } from "../support/mesh.ts";
import { createAsker } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";
import { startWorldPlane } from "../support/world-plane.ts";

test.for(envoyLines)("Envoy %s reaches a copy by whichever of its addresses answers", async (line, context) => {
  // Nobody is at the first address.
  const server = createServer((_, response) => response.end("reached")).listen(0, "::1");
  context.onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const at = (server.address() as AddressInfo).port;
  const port = await freePort();
  const copy = instance("1", { address: "127.0.0.1", otherAddresses: ["::1"], ports: { http: at } });
  const plane = await startWorldPlane(context, service("reviews", [copy], { port }));
  const node = {
    id: nodeIdOf({ kind: "sidecar", ip: "127.0.0.1", name: "web", namespace: "shop", domain: "cluster.local" }),
    cluster: "web.shop",
    metadata: { INTERCEPTION_MODE: "NONE" },
  };
  await startEnvoy({ context, line, node, xdsPort: plane.port });
  const { ask, close } = createAsker(`http://127.0.0.1:${port}/`, "reviews");
  context.onTestFinished(async () => close());
  const first = await waitFor(async () => {
    const answer = await ask();
    return answer.status === 0 ? undefined : answer;
  });
  expect(first).toEqual({ status: 200, text: "reached" });
});
