import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import type { ProxyConfigView } from "../../src/api/types/proxies.ts";
import { startExample } from "../../src/app/dev/example-process.ts";
import { freePorts } from "../../src/app/dev/loopback.ts";
import { nodeIdOf } from "../../src/envoy/bootstrap.ts";
import { type ApiClient, createApiClient } from "../support/api-client.ts";
import { controlPlaneProcess } from "../support/control-plane.ts";
import { temporaryFolder } from "../support/dev.ts";
import { startEnvoy } from "../support/envoy.ts";
import { type Answer, steadyTraffic, type Traffic } from "../support/traffic.ts";
import { waitFor } from "../support/wait-for.ts";

/* Services that register themselves, in front of a real Envoy gateway. */

const host = "hello.shop.svc.cluster.local";
const service = `/api/v1/services/${host}`;

const rules = (gateway: number): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  selector: { app: edge }
  servers: [{ port: { number: ${gateway}, protocol: HTTP, name: http }, bind: 127.0.0.1, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: hello, namespace: shop }
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{ route: [{ destination: { host: ${host} } }] }]
`;

/** Asks for heartbeats until it is stopped; what it was answered last. */
function keepAlive(api: ApiClient, id: string, everyMs: number): { readonly stop: () => Promise<void> } {
  let running = true;
  const beat = async (): Promise<void> => {
    while (running) {
      // A server that is away is asked again, as any client does.
      await api.post(`${service}/instances/${id}/heartbeat`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const done = beat();
  return {
    stop: async () => {
      running = false;
      await done;
    },
  };
}

const failures = (answers: readonly Answer[]): readonly Answer[] => answers.filter(({ status }) => status !== 200);
const isFrom = (version: string) => (answer: Answer) => answer.text.includes(version);

/** Waits until of the next answers some are from this version; or none of 40 in a row. */
async function waitForTraffic({ answers }: Traffic, version: string, wanted: "some" | "none"): Promise<void> {
  const from = answers.length;
  await waitFor(
    () => {
      const recent = answers.slice(from);
      if (wanted === "some") return recent.some(isFrom(version));
      return recent.length > 40 && !recent.slice(-40).some(isFrom(version));
    },
    { withinMs: 15_000, what: `${wanted} of the traffic at ${version}` },
  );
}

async function setUp(context: TestContext) {
  const dir = temporaryFolder(context);
  const [gateway = 0, xds = 0, api = 0, metrics = 0] = await freePorts(
    Array.from({ length: 4 }, () => ({ address: "127.0.0.1" })),
  );
  const start = () =>
    controlPlaneProcess(context, {
      plan: { controlPlane: { host: "127.0.0.1", xds, api, metrics } },
      dir,
      rules: [],
      catalog: [],
    });
  const plane = await start();
  const client = createApiClient({ url: `http://127.0.0.1:${api}`, tokenFile: join(dir, "data", "token") });
  const examples = await Promise.all(
    ["v1", "v2"].map(async (version) => {
      const example = await startExample({ name: "hello", version, address: "127.0.0.1", port: 0, calls: [] });
      context.onTestFinished(async () => {
        await example.stop({ graceMs: 0 });
      });
      return example;
    }),
  );
  await client.post("/api/v1/changesets?allowDangling=true", rules(gateway), "application/yaml");
  await client.put(service, { ports: [{ name: "http", number: 80 }] });
  for (const [index, { port }] of examples.entries()) {
    // The first one has no lease.
    const ttl = index === 0 ? {} : { ttl: "1s" };
    await client.put(`${service}/instances/v${index + 1}`, { address: "127.0.0.1", ports: { http: port }, ...ttl });
  }
  const metadata = { NAMESPACE: "shop", LABELS: { app: "edge" } };
  const id = nodeIdOf({ kind: "gateway", ip: "127.0.0.9", name: "edge", namespace: "shop", domain: "cluster.local" });
  const envoy = await startEnvoy({ context, node: { id, cluster: "edge", metadata }, xdsPort: xds });
  await envoy.ready();
  // What is registered in a row is gathered into one world: the proxy may have been given the one before.
  const first = `"portValue":${examples[0]?.port}`;
  await waitFor(
    async () => {
      const path = `/api/v1/proxies/${encodeURIComponent(id)}/config?type=EDS`;
      const { resources } = (await client.json(path)) as ProxyConfigView;
      return resources.some(({ state, config }) => state === "accepted" && JSON.stringify(config).includes(first));
    },
    { what: "the first instance at the proxy" },
  );
  const load = steadyTraffic(`http://127.0.0.1:${gateway}/`, { maxMs: 50_000 });
  context.onTestFinished(async () => {
    await load.stop();
  });
  return { plane, start, client, load };
}

test("an instance whose heartbeats stop gets no traffic after its TTL, and no request fails", {
  timeout: 60_000,
}, async (context) => {
  const { client, load } = await setUp(context);
  const heartbeats = keepAlive(client, "v2", 200);
  await waitForTraffic(load, "v2", "some");
  await heartbeats.stop();
  await waitForTraffic(load, "v2", "none");
  expect(await client.json(`${service}/instances/v2`)).toMatchObject({
    health: "unhealthy",
    lease: { state: "missed" },
  });
  // Three periods without a heartbeat: it is gone, and has to register again.
  await waitFor(() => client.get(`${service}/instances/v2`).then(({ status }) => status === 404));
  expect((await client.post(`${service}/instances/v2/heartbeat`)).status).toBe(404);
  expect(failures(await load.stop())).toEqual([]);
});

test("nobody is dropped because the control plane was away for three TTLs", { timeout: 60_000 }, async (context) => {
  const { plane, start, client, load } = await setUp(context);
  const heartbeats = keepAlive(client, "v2", 200);
  await waitForTraffic(load, "v2", "some");

  process.kill(plane.pid, "SIGKILL");
  await plane.exited;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await start();
  await waitFor(() => client.get("/api/v1/whoami").then(({ status }) => status === 200), { withinMs: 20_000 });

  expect(await client.json(`${service}/instances`)).toMatchObject({
    items: [{ id: "v1" }, { id: "v2", health: "healthy", lease: { state: "live" } }],
  });
  await waitForTraffic(load, "v2", "some");
  await waitForTraffic(load, "v1", "some");
  await heartbeats.stop();
  expect(failures(await load.stop())).toEqual([]);
});

test("an instance that drains gets no new requests at once, and is gone after its time", {
  timeout: 60_000,
}, async (context) => {
  const { client, load } = await setUp(context);
  const heartbeats = keepAlive(client, "v2", 200);
  await waitForTraffic(load, "v2", "some");
  await client.post(`${service}/instances/v2/drain`, { for: "1s" });
  await waitForTraffic(load, "v2", "none");
  await waitFor(() => client.get(`${service}/instances/v2`).then(({ status }) => status === 404));
  await heartbeats.stop();
  expect(failures(await load.stop())).toEqual([]);
});
