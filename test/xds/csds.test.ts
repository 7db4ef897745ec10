import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { createClientStatuses } from "../../src/app/client-statuses.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypeOf } from "../../src/envoy/resource-types.ts";
import { ClientResourceStatusSchema } from "../../src/gen/envoy/admin/v3/config_dump_shared_pb.ts";
import {
  type ClientConfig,
  ClientStatusRequestSchema,
  ClientStatusResponseSchema,
  ConfigStatusSchema,
} from "../../src/gen/envoy/service/status/v3/csds_pb.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import { createXdsServer } from "../../src/xds/server.ts";
import { type CsdsOptions, createCsds } from "../../src/xds/services/csds.ts";
import { createSideMetrics } from "../../src/xds/services/side-metrics.ts";
import { connectSide, serveSide } from "../support/side-client.ts";
import { staticFeed } from "../support/static-feed.ts";
import { waitFor } from "../support/wait-for.ts";
import { readWireResource, type Versions, wireSet } from "../support/wire-resources.ts";
import { connectXds } from "../support/xds-client.ts";

const idOf = (name: string): string => `sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`;
const node = {
  id: idOf("web-1"),
  userAgentName: "envoy",
  metadata: { NAMESPACE: "shop", LABELS: { app: "web", "a.b/c": "d" }, SECRET: "not kept" },
};
const service = "/envoy.service.status.v3.ClientStatusDiscoveryService";
const schemas = { request: ClientStatusRequestSchema, answer: ClientStatusResponseSchema };
const log = createLog({ level: "silent", format: "json", write: () => {} });

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

type Request = MessageInitShape<typeof ClientStatusRequestSchema>;

/** ADS and CSDS over one ledger; what is on offer is what is served. */
async function start(versions: Versions, options: Partial<CsdsOptions> = {}, xdsOptions: Partial<XdsOptions> = {}) {
  const metrics = createMetrics();
  const ledger = createLedger({ clock: systemClock, metrics });
  let served: ResourceSet = wireSet(versions);
  const feed = staticFeed(served);
  const xds = createXdsServer({
    ...{ feed, recorder: ledger, metrics, log, clock: systemClock, identifier: "fairway/test" },
    options: { removalGraceMs: 20, ...xdsOptions },
  });
  const statuses = createClientStatuses(ledger, { servedTo: () => ({ resources: served, stale: false }) });
  let listed = 0;
  const clients = () => {
    listed++;
    return statuses.clients();
  };
  const csds = createCsds({
    statuses: { ...statuses, clients },
    options,
    clock: systemClock,
    log,
    metrics: createSideMetrics(metrics),
  });
  const { port, close } = await serveSide([csds]);
  const [client, ads] = [connectSide(port), connectXds(await xds.listen("127.0.0.1", 0))];
  cleanups.push(xds.close, close, client.close, ads.close);

  const open = (method: "StreamClientStatus" | "FetchClientStatus") => client.open(`${service}/${method}`, schemas);
  const fetchConfigs = async (request: Request = {}): Promise<readonly ClientConfig[]> => {
    const call = open("FetchClientStatus");
    call.send(request);
    call.halfClose();
    return (await call.next()).config;
  };
  const refusal = async (request: Request) => {
    const call = open("FetchClientStatus");
    call.send(request);
    return call.status();
  };
  return {
    ...{ ads, open, fetchConfigs, refusal, csds },
    /** Requests that were begun with. */
    listed: () => listed,
    set: (next: Versions) => {
      served = wireSet(next);
      feed.set(served);
    },
    /** Of the only client: `TYPE name CONFIG CLIENT version`. */
    states: async () => (await fetchConfigs()).flatMap(statesOf),
  };
}

const statesOf = ({ genericXdsConfigs }: ClientConfig): readonly string[] =>
  genericXdsConfigs.map(({ typeUrl, name, configStatus, clientStatus, versionInfo }) => {
    const config = ConfigStatusSchema.value[configStatus]?.name;
    const client = ClientResourceStatusSchema.value[clientStatus]?.name ?? clientStatus;
    return `${resourceTypeOf(typeUrl)?.short} ${name} ${config} ${client} ${versionInfo}`.trimEnd();
  });

describe("CSD-01 each state, over a real stream", () => {
  test("state of the world: sent, accepted, changed, refused, repaired, gone", async () => {
    const { ads, states, set, fetchConfigs } = await start({ CDS: { a: "1", b: "1" } });
    expect(await states()).toEqual([]);
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    const first = await stream.next("CDS");
    expect(await states()).toEqual(["CDS a STALE REQUESTED 1", "CDS b STALE REQUESTED 1"]);
    stream.ack(first);
    await waitFor(async () => (await states())[0] === "CDS a SYNCED ACKED 1");
    expect(await states()).toEqual(["CDS a SYNCED ACKED 1", "CDS b SYNCED ACKED 1"]);

    set({ CDS: { a: "1", b: "2" } });
    const second = await stream.next("CDS");
    expect(await states()).toEqual(["CDS a SYNCED ACKED 1", "CDS b STALE ACKED 2"]);
    const before = Date.now();
    stream.nack(second, "b: no such field");
    await waitFor(async () => (await states())[1] === "CDS b ERROR NACKED 2");
    const [refused] = await fetchConfigs();
    const error = refused?.genericXdsConfigs.find(({ name }) => name === "b")?.errorState;
    expect(error).toMatchObject({ details: "b: no such field", versionInfo: "2" });
    expect(error?.lastUpdateAttempt && timestampMs(error.lastUpdateAttempt)).toBeGreaterThanOrEqual(before);

    set({ CDS: { a: "1", b: "3" } });
    const third = await stream.next("CDS");
    expect((await states()).at(-1)).toBe("CDS b STALE NACKED 3");
    stream.ack(third);
    await waitFor(async () => (await states()).at(-1) === "CDS b SYNCED ACKED 3");
    const [repaired] = await fetchConfigs();
    expect(repaired?.genericXdsConfigs.map(({ errorState }) => errorState)).toEqual([undefined, undefined]);

    set({ CDS: { a: "1" } });
    const last = await stream.next("CDS");
    expect(await states()).toEqual(["CDS a SYNCED ACKED 1", "CDS b STALE ACKED 3"]);
    stream.ack(last);
    await waitFor(async () => (await states()).length === 1);
    stream.cancel();
    await waitFor(async () => (await fetchConfigs()).length === 0);
  });

  test("what shares a refused response with the culprit says so", async () => {
    const { ads, fetchConfigs, states } = await start({ CDS: { good: "1", bad: "1" } });
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    stream.nack(await stream.next("CDS"), "bad: x");
    await waitFor(async () => (await states()).every((state) => state.includes(" ERROR NACKED 1")));
    const [config] = await fetchConfigs();
    expect(config?.genericXdsConfigs.map(({ name, errorState }) => [name, errorState?.details])).toEqual([
      ["bad", "bad: x"],
      ["good", "refused together with others: bad: x"],
    ]);
  });

  test("delta: asked for and not there, told or not, and there at last", async () => {
    const { ads, states, set } = await start({ CDS: { a: "1" } });
    const stream = ads.openDelta();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    // Nothing is said of an extension that is not there, as Envoy would delete what it has.
    stream.send("ECDS", { subscribe: ["extension"] });
    await waitFor(async () => (await states()).at(-1) === "ECDS extension NOT_SENT REQUESTED");
    stream.send("EDS", { subscribe: ["none"] });
    expect((await stream.accept("EDS")).removed).toEqual(["none"]);
    const rest = "ECDS extension NOT_SENT REQUESTED";
    expect(await states()).toEqual(["CDS a SYNCED ACKED 1", "EDS none NOT_SENT DOES_NOT_EXIST", rest]);
    set({ CDS: { a: "1" }, EDS: { none: "1" } });
    await stream.accept("EDS");
    await waitFor(async () => (await states())[1] === "EDS none SYNCED ACKED 1");
    set({ CDS: { a: "1" } });
    await stream.accept("EDS");
    await waitFor(async () => (await states())[1] === "EDS none NOT_SENT DOES_NOT_EXIST");
    stream.send("EDS", { unsubscribe: ["none"] });
    await waitFor(async () => (await states()).join() === `CDS a SYNCED ACKED 1,${rest}`);
  });

  test("state of the world: told by an error of its own, and there at last", async () => {
    const { ads, states, set } = await start({ CDS: { a: "1" } });
    const stream = ads.openSotw();
    stream.send("CDS", { node, names: ["a", "x"] });
    await stream.accept("CDS");
    // 5 is RECEIVED_ERROR, which the packaged API does not know by name.
    await waitFor(async () => (await states()).join() === "CDS a SYNCED ACKED 1,CDS x NOT_SENT 5");
    set({ CDS: { a: "1", x: "1" } });
    await stream.accept("CDS");
    await waitFor(async () => (await states()).join() === "CDS a SYNCED ACKED 1,CDS x SYNCED ACKED 1");
  });

  test("what a wildcard covers and is kept back is not sent", async () => {
    const { ads, states, set } = await start({ CDS: { a: "1" }, LDS: { l: "1" } }, {}, { ackTimeoutMs: 60_000 });
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    stream.send("LDS");
    await stream.accept("LDS");
    await waitFor(async () => (await states()).at(-1) === "LDS l SYNCED ACKED 1");
    set({ CDS: { a: "1", b: "1" }, LDS: { l: "1", m: "1" } });
    // It has not answered: listeners wait.
    await stream.next("CDS");
    expect(await states()).toEqual([
      "CDS a SYNCED ACKED 1",
      "CDS b STALE REQUESTED 1",
      "LDS l SYNCED ACKED 1",
      "LDS m NOT_SENT REQUESTED",
    ]);
  });

  test("a proxy that comes back holds what it lists", async () => {
    const { ads, states } = await start({ CDS: { a: "1" } });
    const stream = ads.openDelta();
    stream.send("CDS", { node, known: { a: "1" } });
    await stream.accept("CDS");
    expect(await states()).toEqual(["CDS a SYNCED ACKED 1"]);
  });
});

describe("what an answer holds", () => {
  test("the node as it was kept, and bodies of what is served in the version that is shown", async () => {
    const { ads, fetchConfigs, set } = await start({ CDS: { a: "1", b: "1" }, SDS: { key: "private" } });
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    stream.send("SDS", { names: ["key"] });
    await stream.accept("SDS");
    const bodies = async (request: Request = {}) => {
      const [config] = await fetchConfigs(request);
      return config?.genericXdsConfigs.map(({ name, xdsConfig }) => [
        name,
        xdsConfig && readWireResource(xdsConfig.value).content,
      ]);
    };
    expect(await bodies()).toEqual([
      ["a", "1"],
      ["b", "1"],
      ["key", undefined],
    ]);
    expect(await bodies({ excludeResourceContents: true })).toEqual([
      ["a", undefined],
      ["b", undefined],
      ["key", undefined],
    ]);
    const [config] = await fetchConfigs();
    expect(config?.node).toMatchObject({
      id: node.id,
      userAgentName: "envoy",
      metadata: { NAMESPACE: "shop", LABELS: { app: "web", "a.b/c": "d" }, INSTANCE_IPS: "10.0.0.1" },
    });
    expect(JSON.stringify(config?.node?.metadata)).not.toContain("not kept");
    expect(config?.genericXdsConfigs[0]?.xdsConfig?.typeUrl).toBe(config?.genericXdsConfigs[0]?.typeUrl);

    // The second is refused: what is served now is not what it was sent before.
    set({ CDS: { a: "1", b: "2" }, SDS: { key: "private" } });
    await stream.next("CDS");
    set({ CDS: { a: "1", b: "3" }, SDS: { key: "private" } });
    expect(await bodies()).toEqual([
      ["a", "1"],
      ["b", undefined],
      ["key", undefined],
    ]);
  });

  test("a stream answers request after request", async () => {
    const { ads, open } = await start({ CDS: { a: "1" } });
    const call = open("StreamClientStatus");
    call.send({});
    expect((await call.next()).config).toEqual([]);
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    call.send({});
    expect((await call.next()).config).toHaveLength(1);
    call.halfClose();
    expect((await call.status()).code).toBe(status.OK);
  });
});

describe("node matchers", () => {
  const names = ["web-1", "web-2", "api-1"];
  const exact = (value: string) => ({ matchPattern: { case: "exact" as const, value } });
  const metadata = (path: readonly string[], value: string) => ({
    path: path.map((key) => ({ segment: { case: "key" as const, value: key } })),
    value: { matchPattern: { case: "stringMatch" as const, value: exact(value) } },
  });

  async function startThree() {
    const server = await start({ CDS: { a: "1" } });
    for (const name of names) {
      const stream = server.ads.openSotw();
      const labels = { app: name.replace(/-\d$/, "") };
      stream.send("CDS", { node: { id: idOf(name), metadata: { NAMESPACE: "shop", LABELS: labels } } });
      await stream.accept("CDS");
    }
    return server;
  }

  test("of the id, of the metadata, and of several", async () => {
    const { fetchConfigs } = await startThree();
    const found = async (...nodeMatchers: NonNullable<Request["nodeMatchers"]>) =>
      (await fetchConfigs({ nodeMatchers })).map((config) => config.node?.id.split("~")[2]?.replace(".shop", ""));
    expect(await found()).toEqual(["api-1", "web-1", "web-2"]);
    expect(await found({ nodeId: exact(idOf("web-2")) })).toEqual(["web-2"]);
    expect(await found({ nodeId: { matchPattern: { case: "prefix", value: "router~" } } })).toEqual([]);
    expect(await found({ nodeId: { matchPattern: { case: "suffix", value: "cluster.local" } } })).toHaveLength(3);
    expect(await found({ nodeId: { matchPattern: { case: "contains", value: "~API-" }, ignoreCase: true } })).toEqual([
      "api-1",
    ]);
    const regex = (text: string) => ({
      nodeId: { matchPattern: { case: "safeRegex" as const, value: { regex: text } } },
    });
    expect(await found(regex("sidecar~.*~web-[12]\\..*"))).toEqual(["web-1", "web-2"]);
    expect(await found(regex("web-1"))).toEqual([]);
    expect(await found({ nodeMetadatas: [metadata(["LABELS", "app"], "web")] })).toEqual(["web-1", "web-2"]);
    expect(
      await found({ nodeMetadatas: [metadata(["LABELS", "app"], "web"), metadata(["NAMESPACE"], "other")] }),
    ).toEqual([]);
    expect(
      await found({ nodeMetadatas: [metadata(["LABELS", "app"], "api")] }, { nodeId: exact(idOf("web-1")) }),
    ).toEqual(["api-1", "web-1"]);
    const present = (wanted: boolean) => ({
      nodeMetadatas: [
        {
          ...metadata(["LABELS", "version"], ""),
          value: { matchPattern: { case: "presentMatch" as const, value: wanted } },
        },
      ],
    });
    expect(await found(present(true))).toEqual([]);
    expect(await found(present(false))).toHaveLength(3);
  });

  test.each<readonly [string, NonNullable<Request["nodeMatchers"]>, string]>([
    ["other metadata", [{ nodeMetadatas: [metadata(["ZONE"], "x")] }], "Kept are NAMESPACE, LABELS"],
    [
      "other values",
      [
        {
          nodeMetadatas: [{ ...metadata(["LABELS"], ""), value: { matchPattern: { case: "boolMatch", value: true } } }],
        },
      ],
      "use string_match, present_match or or_match",
    ],
    ["no pattern", [{ nodeId: {} }], "Use exact, prefix, suffix, contains or safe_regex"],
    [
      "a regular expression that RE2 does not know",
      [{ nodeId: { matchPattern: { case: "safeRegex", value: { regex: "(?=x)" } } } }],
      "no regular expression of RE2",
    ],
    ["a long pattern", [{ nodeId: exact("x".repeat(1_025)) }], "1025 are too many"],
    ["many", Array.from({ length: 33 }, () => ({})), "33 are too many"],
  ])("%s: refused with what is supported", async (_, nodeMatchers, text) => {
    const { refusal } = await start({});
    expect(await refusal({ nodeMatchers })).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(text),
    });
  });
});

describe("limits", () => {
  test("clients of an answer, and its bytes; the error says what to do", async () => {
    const { ads, refusal, fetchConfigs } = await start(
      { CDS: { a: "x".repeat(2_000) } },
      { maxClients: 2, maxResponseBytes: 6_000 },
    );
    for (const name of ["w1", "w2"]) {
      const stream = ads.openSotw();
      stream.send("CDS", { node: { id: idOf(name) } });
      await stream.accept("CDS");
    }
    expect(await refusal({})).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/exceeds 6000 bytes: ask with node_matchers .* or with exclude_resource_contents/),
    });
    const third = ads.openSotw();
    third.send("CDS", { node: { id: idOf("w3") } });
    await third.accept("CDS");
    expect(await refusal({ excludeResourceContents: true })).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining("3 clients match; an answer has 2 at most"),
    });
    const prefix = { nodeId: { matchPattern: { case: "contains" as const, value: "~w1." } } };
    expect(await fetchConfigs({ nodeMatchers: [prefix] })).toHaveLength(1);
  });

  test("calls at the same time; all of them end with the drain", async () => {
    const { open, csds } = await start({});
    const calls = Array.from({ length: 8 }, () => open("StreamClientStatus"));
    for (const call of calls) {
      call.send({});
      await call.next();
    }
    expect((await open("StreamClientStatus").status()).code).toBe(status.RESOURCE_EXHAUSTED);
    csds.end?.();
    for (const call of calls) expect((await call.status()).code).toBe(status.OK);
  });

  test("a client that does not read its answers is answered no further, until it does", async () => {
    const { ads, open, listed } = await start({ CDS: { a: "x".repeat(1_000_000) } });
    const stream = ads.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    const call = open("StreamClientStatus");
    call.send({});
    await call.next();
    call.pause();
    for (let i = 0; i < 60; i++) call.send({});
    // The client takes in some messages by itself before it stops reading.
    let [seen, since] = [0, performance.now()];
    await waitFor(() => {
      if (listed() !== seen) [seen, since] = [listed(), performance.now()];
      return performance.now() - since > 200;
    });
    expect(listed()).toBeLessThan(40);
    call.resume();
    await waitFor(() => call.received.length === 61);
  });
});
