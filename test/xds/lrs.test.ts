import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { createSideServices } from "../../src/app/side-services.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { createLoadReports } from "../../src/delivery/load-reports.ts";
import { ClusterStatsSchema } from "../../src/gen/envoy/config/endpoint/v3/load_report_pb.ts";
import { LoadStatsRequestSchema, LoadStatsResponseSchema } from "../../src/gen/envoy/service/load_stats/v3/lrs_pb.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { readLoadReport } from "../../src/xds/services/load-report.ts";
import { createLrs } from "../../src/xds/services/lrs.ts";
import { createSideMetrics } from "../../src/xds/services/side-metrics.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { connectSide, serveSide } from "../support/side-client.ts";
import { staticFeed } from "../support/static-feed.ts";
import { waitFor } from "../support/wait-for.ts";
import { wireSet } from "../support/wire-resources.ts";
import { connectXds } from "../support/xds-client.ts";

const node = { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" };
const sendAll = { ...node, clientFeatures: ["envoy.lrs.supports_send_all_clusters"] };
const path = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
const schemas = { request: LoadStatsRequestSchema, answer: LoadStatsResponseSchema };
const silent = createLog({ level: "silent", format: "json", write: () => {} });

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** ADS and the services beside it, over one ledger. */
async function start(intervalMs = 10_000, sideClock: Clock = systemClock) {
  const metrics = createMetrics();
  const ledger = createLedger({ clock: systemClock, metrics });
  const feed = staticFeed(wireSet({ CDS: { a: "1", b: "1" } }));
  const common = { metrics, clock: systemClock, log: silent };
  const xds = createXdsServer({ feed, recorder: ledger, identifier: "fairway/test", ...common });
  const side = createSideServices({
    ...{ ledger, resources: { servedTo: () => undefined }, world: createSignal(undefined), lrsIntervalMs: intervalMs },
    ...{ ...common, clock: sideClock },
  });
  const { port, close } = await serveSide(side.services);
  const client = connectSide(port);
  const proxy = connectXds(await xds.listen("127.0.0.1", 0));
  cleanups.push(xds.close, close, client.close, proxy.close);
  const count = async (line: string): Promise<number> => {
    const found = (await metrics.expose()).text.split("\n").find((one) => one.startsWith(`${line} `));
    return Number(found?.split(" ").at(-1) ?? Number.NaN);
  };
  return { feed, ledger, ...side, count, open: () => client.open(path, schemas), proxy };
}

async function openAds(proxy: ReturnType<typeof connectXds>) {
  const ads = proxy.openSotw();
  ads.send("CDS", { node });
  await ads.accept("CDS");
  return ads;
}

const stats = (cluster: string, issued: bigint) => ({
  clusterName: cluster,
  upstreamLocalityStats: [
    { totalIssuedRequests: issued, totalSuccessfulRequests: issued - 1n, totalErrorRequests: 1n },
    { totalIssuedRequests: 1n, totalSuccessfulRequests: 1n, totalRequestsInProgress: 2n },
  ],
  totalDroppedRequests: 3n,
});

describe("LRS-01 the first answer", () => {
  test("a client that can sends all clusters, at a positive interval", async () => {
    const { open } = await start(2_500);
    const call = open();
    call.send({ node: sendAll });
    const answer = await call.next();
    expect(answer).toMatchObject({ sendAllClusters: true, clusters: [], reportEndpointGranularity: false });
    expect(answer.loadReportingInterval && durationMs(answer.loadReportingInterval)).toBe(2_500);
  });

  test("to others the clusters that they hold are named, and named again when they are others", async () => {
    const { open, proxy, feed } = await start(20);
    const call = open();
    call.send({ node });
    expect(await call.next()).toMatchObject({ sendAllClusters: false, clusters: [] });
    const ads = await openAds(proxy);
    const next = await call.next();
    expect(next.clusters).toEqual(["a", "b"]);
    expect(next.loadReportingInterval && durationMs(next.loadReportingInterval)).toBe(20);
    feed.set(wireSet({ CDS: { a: "2", b: "1", c: "1" } }));
    await ads.accept("CDS");
    expect((await call.next()).clusters).toEqual(["a", "b", "c"]);
    expect(call.received).toHaveLength(3);
  });

  test("nothing is sent before the client has spoken", async () => {
    const { open, count } = await start(10);
    const call = open();
    await waitFor(async () => (await count('fairway_side_calls{service="lrs"}')) === 1);
    call.halfClose();
    expect((await call.status()).code).toBe(status.OK);
    expect(call.received).toEqual([]);
  });

  test.each([
    ["without a node", {}, "must carry the node"],
    ["with a node that names no proxy", { node: { id: "x" } }, "does not name a proxy"],
  ])("%s: refused", async (_, request, text) => {
    const { open } = await start();
    const call = open();
    call.send(request);
    expect(await call.status()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(text),
    });
  });

  test("an interval must be positive", () => {
    const ports = { clock: systemClock, log: silent, recorder: { clustersOf: () => [], reported: () => {} } };
    const side = { ...ports, metrics: createSideMetrics(createMetrics()) };
    expect(() => createLrs({ ...side, intervalMs: 0 })).toThrow("0 ms");
  });
});

describe("LRS-02 reports", () => {
  test("are added once, also after a reconnect; ADS stays as it is", async () => {
    const { open, proxy, count, loadReports, ledger } = await start();
    const ads = await openAds(proxy);
    const first = open();
    first.send({ node: sendAll });
    await first.next();
    first.send({ clusterStats: [stats("a", 10n), stats("b", 5n)] });
    first.send({ clusterStats: [stats("a", 1n)] });
    await waitFor(async () => (await count("fairway_lrs_reports_total")) === 2);
    first.cancel();
    await waitFor(async () => (await count('fairway_side_calls{service="lrs"}')) === 0);
    expect(ledger.proxies()).toMatchObject([{ streams: 1 }]);

    const second = open();
    second.send({ node: sendAll, clusterStats: [stats("a", 100n)] });
    await second.next();
    expect(loadReports.of(node.id)).toMatchObject([
      { cluster: "a", issued: 114, succeeded: 111, failed: 3, dropped: 9, inProgress: 2, reports: 3 },
      { cluster: "b", issued: 6, succeeded: 5, failed: 1, dropped: 3, reports: 1 },
    ]);
    const outcomes = ["issued", "succeeded", "error", "dropped"];
    const counts = outcomes.map((outcome) => count(`fairway_lrs_requests_total{outcome="${outcome}"}`));
    expect(await Promise.all(counts)).toEqual([120, 116, 4, 12]);
    expect((await openAds(proxy)).received).toHaveLength(1);
    expect(ads.received).toHaveLength(1);
  });

  test("of clusters that the proxy does not hold are dropped, and counted", async () => {
    const { open, proxy, count, loadReports, feed } = await start();
    const ads = await openAds(proxy);
    const call = open();
    call.send({ node: sendAll, clusterStats: [stats("a", 1n), stats("static", 1n), stats("", 1n)] });
    await call.next();
    expect(loadReports.of(node.id).map(({ cluster }) => cluster)).toEqual(["a"]);
    expect(await count('fairway_lrs_ignored_clusters_total{reason="unknown"}')).toBe(2);
    // Its last report comes when it has gone.
    feed.set(wireSet({ CDS: { b: "1" } }));
    await ads.accept("CDS");
    call.send({ clusterStats: [stats("a", 1n)] });
    await waitFor(() => loadReports.of(node.id)[0]?.reports === 2);
  });

  test("the largest ones are taken in, larger ones end their stream, and that one only", async () => {
    const { open, proxy, count, ledger } = await start();
    await openAds(proxy);
    const many = Array.from({ length: 10_001 }, (_, i) => stats(`c${i}`, 1n));
    const call = open();
    call.send({ node: sendAll, clusterStats: many });
    await call.next();
    expect(await count('fairway_lrs_ignored_clusters_total{reason="unknown"}')).toBe(10_000);
    expect(await count('fairway_lrs_ignored_clusters_total{reason="oversized"}')).toBe(1);
    call.send({ clusterStats: [stats("x".repeat(5_000_000), 1n)] });
    expect(await call.status()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining("at most 4194304"),
    });
    expect(ledger.proxies()).toMatchObject([{ streams: 1 }]);
  });

  test("that come too often are read at their pace", async () => {
    const clock = createFakeClock();
    const { open, proxy, loadReports } = await start(10_000, clock);
    await openAds(proxy);
    const call = open();
    call.send({ node: sendAll });
    await call.next();
    for (let i = 0; i < 6; i++) call.send({ clusterStats: [stats("a", 1n)] });
    // The fifth waits, and is all that waits.
    await waitFor(() => loadReports.of(node.id)[0]?.reports === 4 && clock.pending() === 1);
    clock.advance(999);
    expect(loadReports.of(node.id)[0]?.reports).toBe(4);
    clock.advance(1);
    await waitFor(() => loadReports.of(node.id)[0]?.reports === 5 && clock.pending() === 1);
  });

  test("a drain ends streams with OK, those without an answer with UNAVAILABLE", async () => {
    const { open, services, count } = await start();
    const [told, untold] = [open(), open()];
    told.send({ node: sendAll });
    await told.next();
    await waitFor(async () => (await count('fairway_side_calls{service="lrs"}')) === 2);
    for (const { end } of services) end?.();
    expect((await told.status()).code).toBe(status.OK);
    expect((await untold.status()).code).toBe(status.UNAVAILABLE);
    expect((await open().status()).code).toBe(status.UNAVAILABLE);
    expect(await count('fairway_side_calls{service="lrs"}')).toBe(0);
  });
});

describe("limits of a report", () => {
  test.each<readonly [string, MessageInitShape<typeof ClusterStatsSchema>]>([
    ["a name of more than 4096 characters", { clusterName: "x".repeat(4_097) }],
    ["numbers that nobody has", { clusterName: "a", totalDroppedRequests: 2n ** 64n - 1n }],
    ["more than 256 localities", { clusterName: "a", upstreamLocalityStats: Array.from({ length: 257 }, () => ({})) }],
  ])("%s", (_, cluster) => {
    expect(readLoadReport([create(ClusterStatsSchema, cluster)])).toEqual({ loads: [], oversized: 1 });
  });
});

describe("what is kept", () => {
  const one = (cluster: string) => ({ cluster, issued: 1, succeeded: 1, failed: 0, dropped: 0, inProgress: 0 });

  test("beyond the limit, the sums of whoever reported longest ago go", () => {
    const clock = createFakeClock(1_000);
    const reports = createLoadReports({ clock, metrics: createMetrics(), knownTo: () => () => true, maxTotals: 4 });
    const report = (proxy: string, ...clusters: readonly string[]): void =>
      reports.reported(proxy, { loads: clusters.map(one), oversized: 0 });
    report("p1", "a", "b");
    report("p2", "a", "b");
    clock.advance(500);
    report("p1", "a");
    report("p3", "a");
    expect(reports.of("p2")).toEqual([]);
    expect(reports.of("p1")).toEqual([
      { ...one("a"), issued: 2, succeeded: 2, reports: 2, firstAtMs: 1_000, lastAtMs: 1_500 },
      { ...one("b"), reports: 1, firstAtMs: 1_000, lastAtMs: 1_000 },
    ]);
    expect(reports.of("p3")).toHaveLength(1);
  });
});
