import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { processLauncher } from "../../src/app/envoy/launch.ts";
import { createSideServices } from "../../src/app/side-services.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { bootstrapFor } from "../../src/envoy/bootstrap.ts";
import { createResourceSet } from "../../src/envoy/resource-set.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { envoyBinary, launchTestEnvoy } from "../support/envoy.ts";
import { serveSide } from "../support/side-client.ts";
import { httpListener } from "../support/static-envoy.ts";
import { staticFeed } from "../support/static-feed.ts";
import { waitFor } from "../support/wait-for.ts";

const id = "sidecar~10.9.9.1~web-1.shop~shop.svc.cluster.local";

const staticClusters = (bootstrap: JsonObject): readonly JsonObject[] =>
  (bootstrap["static_resources"] as unknown as { readonly clusters: readonly JsonObject[] }).clusters;

function clusterTo(port: number): Uint8Array {
  const address = {
    case: "socketAddress" as const,
    value: { address: "127.0.0.1", portSpecifier: { case: "portValue" as const, value: port } },
  };
  const endpoint = { hostIdentifier: { case: "endpoint" as const, value: { address: { address } } } };
  return toBinary(
    ClusterSchema,
    create(ClusterSchema, {
      name: "answers",
      connectTimeout: durationFromMs(1_000),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      loadAssignment: {
        clusterName: "answers",
        endpoints: [{ locality: { region: "r", zone: "z" }, lbEndpoints: [endpoint] }],
      },
    }),
  );
}

test("LRS-02 a real Envoy's requests are counted, each once", { timeout: 60_000 }, async (context) => {
  const { path } = await envoyBinary(context);
  const upstream = createServer((request, response) => response.writeHead(request.url === "/bad" ? 503 : 200).end());
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });

  const metrics = createMetrics();
  const ledger = createLedger({ clock: systemClock, metrics });
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const bytes = clusterTo((upstream.address() as AddressInfo).port);
  const cluster = { type: "CDS" as const, name: "answers", version: "1", bytes, references: [], provenance: () => [] };
  const common = { clock: systemClock, metrics, log };
  const xds = createXdsServer({
    ...{ feed: staticFeed(createResourceSet([cluster])), recorder: ledger, identifier: "fairway/test", ...common },
  });
  context.onTestFinished(xds.close);
  const world = createSignal(undefined);
  const side = createSideServices({
    ...{ ledger, resources: { servedTo: () => undefined }, world, lrsIntervalMs: 500, ...common },
  });
  const { port: lrsPort, close } = await serveSide(side.services);
  context.onTestFinished(close);

  const host = "127.0.0.1";
  const xdsPort = await xds.listen(host, 0);
  const plain = { node: { id, cluster: "web" }, admin: { host, port: 0 } };
  const bootstrap = bootstrapFor({ ...plain, xds: { host, port: xdsPort, variant: "delta" } });
  const [lrsCluster] = staticClusters(bootstrapFor({ ...plain, xds: { host, port: lrsPort, variant: "delta" } }));
  const listener = httpListener("in", { route: { cluster_header: "x-cluster" } });
  const envoy = await launchTestEnvoy({
    cleanup: context.onTestFinished,
    launcher: processLauncher(path),
    bootstrap: {
      ...bootstrap,
      cluster_manager: {
        load_stats_config: {
          api_type: "GRPC",
          transport_api_version: "V3",
          grpc_services: [{ envoy_grpc: { cluster_name: "lrs" } }],
        },
      },
      static_resources: {
        listeners: [listener],
        clusters: [...staticClusters(bootstrap), { ...lrsCluster, name: "lrs" }],
      },
    },
  });
  const admin = await envoy.ready();
  const stat = async (name: string): Promise<number> => (await admin.stats(`^${name}$`)).get(name) ?? 0;
  // Its own names for it: it is requested to report, and responds with reports.
  const reports = () => stat("load_reporter.responses");
  await waitFor(async () => ledger.connected().length === 1 && (await stat("load_reporter.requests")) === 1);
  // It counts from the period after the one in which it got the cluster.
  const first = await reports();
  await waitFor(async () => (await reports()) >= first + 2);

  const [bound] = await admin.listeners();
  const url = `http://${host}:${bound?.address?.port}/`;
  const send = async (requests: number, to: string): Promise<void> => {
    for (let i = 0; i < requests; i++) await (await fetch(to, { headers: { "x-cluster": "answers" } })).text();
  };
  await send(20, url);
  await send(5, `${url}bad`);
  await waitFor(() => side.loadReports.of(id)[0]?.issued === 25);
  await send(7, url);
  await waitFor(() => side.loadReports.of(id)[0]?.issued === 32);
  const last = await reports();
  await waitFor(async () => (await reports()) >= last + 2);
  expect(side.loadReports.of(id)).toMatchObject([
    { cluster: "answers", issued: 32, succeeded: 27, failed: 5, dropped: 0, inProgress: 0 },
  ]);
  expect(await stat("load_reporter.requests")).toBe(1);
  expect((await metrics.expose()).text).toContain('fairway_lrs_requests_total{outcome="issued"} 32\n');
});
