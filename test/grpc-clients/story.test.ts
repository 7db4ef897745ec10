import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { type ControlPlane, startControlPlane } from "../../src/app/control-plane.ts";
import { createLog } from "../../src/base/log.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { startEcho } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { startGrpcClient } from "../support/grpc-client.ts";
import { reviewsSubsets } from "../support/shop-rules.ts";
import { waitFor } from "../support/wait-for.ts";

/* Rules in files, our whole control plane, and real gRPC processes that call and serve by them. */

interface Mesh {
  readonly plane: ControlPlane;
  /** Where the proxyless server of `ratings` is to listen. */
  readonly ratingsPort: number;
  readonly setRule: (v1: number, v2: number, lost?: boolean) => void;
}

const host = "127.0.0.1";

/** `reviews` in two versions; `ratings`, which a gRPC server with xDS is to serve. */
async function startMesh(context: Pick<TestContext, "onTestFinished">): Promise<Mesh> {
  const dir = mkdtempSync(join(tmpdir(), "fairway-grpc-"));
  context.onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [rules, catalog] = [join(dir, "rules.yaml"), join(dir, "catalog.yaml")];
  const [v1, v2, ratingsPort] = [await startEcho(context, "v1"), await startEcho(context, "v2"), await freePort()];
  writeFileSync(
    catalog,
    `services:
  - host: reviews.shop.svc.cluster.local
    ports: [{ name: grpc, number: 9080 }]
    instances:
      - { id: v1, address: ${host}, ports: { grpc: ${v1} }, labels: { version: v1 } }
      - { id: v2, address: ${host}, ports: { grpc: ${v2} }, labels: { version: v2 } }
  - host: ratings.shop.svc.cluster.local
    ports: [{ name: grpc, number: 9080 }]
    instances:
      - { id: ratings-1, address: ${host}, ports: { grpc: ${ratingsPort} } }
`,
  );
  const setRule: Mesh["setRule"] = (first, second, lost = false) => writeFileSync(rules, canary(first, second, lost));
  setRule(75, 25);
  const plane = await startControlPlane({
    rules: [rules],
    catalog: [catalog],
    mesh: defaultMeshSettings,
    xds: { host, port: 0 },
    api: { host, port: 0 },
    metrics: { host, port: 0 },
    log: createLog({ level: "silent", format: "json", write: () => {} }),
  });
  context.onTestFinished(() => plane.stop());
  return { plane, ratingsPort, setRule };
}

/** `lost`: calls with a header go to a host that nobody has. */
const canary = (v1: number, v2: number, lost: boolean): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop }
spec:
  hosts: [reviews]
  http:
${lost ? "    - match: [{ headers: { to: { exact: nowhere } } }]\n      route: [{ destination: { host: nowhere } }]\n" : ""}
    - route:
        - destination: { host: reviews, subset: v1 }
          weight: ${v1}
        - destination: { host: reviews, subset: v2 }
          weight: ${v2}
---
${reviewsSubsets}`;

describe.concurrent.each(["grpc-js", "grpcio"] as const)("%s", { timeout: 60_000 }, (language) => {
  test("a canary moves, and a route to nowhere takes nothing else down", async (context) => {
    const { plane, setRule } = await startMesh(context);
    const client = await startGrpcClient(context, language, { xdsPort: plane.listens.xds.port });
    const calls = 600;
    const { answers, errors } = await client.call("reviews.shop.svc.cluster.local:9080", { count: calls });
    expect(errors).toEqual([]);
    // Four standard deviations to either side.
    expect((answers["v2"] ?? 0) / calls).toBeGreaterThan(0.18);
    expect((answers["v2"] ?? 0) / calls).toBeLessThan(0.32);

    const stop = await client.keepCalling("reviews:9080");
    const only = (version: string): Promise<unknown> =>
      waitFor(async () => {
        const report = await client.call("reviews:9080", { count: 20 });
        return report.answers[version] === 20;
      });
    setRule(0, 100);
    await only("v2");
    setRule(100, 0, true);
    await only("v1");
    expect((await stop()).errors).toEqual([]);
    const nowhere = await client.call("reviews:9080", { headers: { to: "nowhere" } });
    expect(nowhere.errors.map(({ code }) => code)).toEqual([14]);

    const [proxy, ...others] = plane.ports.proxies();
    expect(proxy).toMatchObject({ kind: "proxyless" });
    expect(others).toEqual([]);
  });

  test("a server serves what the mesh calls it for", async (context) => {
    const { plane, ratingsPort } = await startMesh(context);
    const xdsPort = plane.listens.xds.port;
    const nodeId = `sidecar~${host}~ratings-1.shop~shop.svc.cluster.local`;
    const server = await startGrpcClient(context, language, { xdsPort, nodeId });
    await server.serve(`${host}:${ratingsPort}`, "ratings");
    const client = await startGrpcClient(context, language, { xdsPort });
    await waitFor(async () => (await client.call("ratings.shop:9080")).answers["ratings"] === 1);
  });
});
