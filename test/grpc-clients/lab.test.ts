import { describe, expect, test } from "vitest";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { startEcho } from "../support/echo-server.ts";
import { freePort } from "../support/free-port.ts";
import { startGrpcClient } from "../support/grpc-client.ts";
import { cluster, endpoints, listener, type RouteTo, serverListeners, table } from "../support/grpc-resources.ts";
import { startRawXds } from "../support/raw-xds.ts";
import { waitFor } from "../support/wait-for.ts";
import { wireResource } from "../support/wire-resources.ts";

/*
 * What real gRPC clients do with what our server sends: one case for each thing that broke such a client elsewhere. Each client is a process
 * of its own; the server has nothing behind it but the resources of the case, so that it can send what the compiler would never make.
 */

/** The target, and the table that its listener names. */
const target = "svc:80";
const route = (...routes: readonly RouteTo[]): readonly Resource[] => [
  listener(target, "table"),
  table("table", routes),
];

const grpcStatus = { deadlineExceeded: 4, unavailable: 14 };

describe.concurrent.each(["grpc-js", "grpcio"] as const)("%s", { timeout: 60_000 }, (language) => {
  test("calls, and goes on calling when its stream is ended and another server answers", async (context) => {
    const port = await startEcho(context, "a");
    const resources = [...route({ cluster: "a" }), cluster("a"), endpoints("a", port)];
    const first = await startRawXds(context, resources);
    const client = await startGrpcClient(context, language, { xdsPort: first.port });
    expect(await client.call(target)).toEqual({ answers: { a: 1 }, errors: [] });
    const order = first.recorder.events.filter(({ on }) => on === "sent").map(({ type }) => type);
    expect(order).toEqual(["LDS", "RDS", "CDS", "EDS"]);

    const stop = await client.keepCalling(target);
    await first.server.drain(1_000);
    expect(await first.metric("fairway_xds_ended_total")).toBe(1);
    const second = await startRawXds(context, resources, { port: first.port });
    await waitFor(() => second.recorder.events.filter(({ on }) => on === "accepted").length >= 4);
    const { answers, errors } = await stop();
    expect(errors).toEqual([]);
    expect(Object.keys(answers)).toEqual(["a"]);
    expect(second.recorder.events.filter(({ on }) => on === "refused")).toEqual([]);
  });

  test("comes back without a failed call when connections end by age", async (context) => {
    const port = await startEcho(context, "a");
    const resources = [...route({ cluster: "a" }), cluster("a"), endpoints("a", port)];
    const xds = await startRawXds(context, resources, { options: { ...ageOf(700) } });
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    await client.call(target);
    const stop = await client.keepCalling(target);
    await waitFor(() => xds.opened() >= 3);
    const { errors } = await stop();
    expect(errors).toEqual([]);
  });

  test("uses the good one of two clusters, is told no more of the bad one, and gets what it asks for later", async (context) => {
    const [a, c] = [await startEcho(context, "a"), await startEcho(context, "c")];
    const bad = [cluster("a"), endpoints("a", a), cluster("b", { bad: true }), endpoints("b", a)];
    const xds = await startRawXds(context, [...route({ cluster: "b", to: "b" }, { cluster: "a" }), ...bad]);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    expect(await client.call(target)).toEqual({ answers: { a: 1 }, errors: [] });
    const { answers, errors } = await client.call(target, { headers: { to: "b" }, deadlineMs: 1_000 });
    expect(answers).toEqual({});
    expect(errors).toHaveLength(1);
    const refused = () => xds.recorder.events.filter(({ on, type }) => on === "refused" && type === "CDS");
    const refusals = refused().length;
    expect(refusals).toBeGreaterThan(0);

    // The names change while the refusal stands; grpc-js repeats it then.
    xds.set(
      ...route({ cluster: "b", to: "b" }, { cluster: "c", to: "c" }, { cluster: "a" }),
      ...[...bad, cluster("c"), endpoints("c", c)],
    );
    const toC = await waitFor(async () => {
      const report = await client.call(target, { headers: { to: "c" }, deadlineMs: 1_000 });
      return report.answers["c"] === 1 ? report : undefined;
    });
    expect(toC.errors).toEqual([]);
    expect(await client.call(target)).toEqual({ answers: { a: 1 }, errors: [] });
    // A refusal that is answered by the same again makes thousands of them a second.
    const sent = xds.recorder.events.filter(({ on, type }) => on === "sent" && type === "CDS");
    expect(sent.length).toBeLessThanOrEqual(8);
  });

  test("stays calm when all that it got was refused", async (context) => {
    const port = await startEcho(context, "a");
    const only = [cluster("a", { bad: true }), endpoints("a", port)];
    const xds = await startRawXds(context, [...route({ cluster: "a" }), ...only]);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    const count = (what: string): number =>
      xds.recorder.events.filter(({ on, type }) => on === what && type === "CDS").length;
    await client.call(target, { deadlineMs: 1_000 });
    await waitFor(() => count("refused") > 0);
    const refusals = count("refused");
    // The same again under another name of the set: nothing that was refused has changed.
    xds.set(...route({ cluster: "a" }), ...only, cluster("nobody's"), endpoints("nobody's"));
    await client.call(target, { deadlineMs: 1_000 });
    expect([count("sent"), count("refused")]).toEqual([refusals, refusals]);
    // Mended, it goes out at once.
    xds.set(...route({ cluster: "a" }), cluster("a"), endpoints("a", port));
    await waitFor(async () => (await client.call(target)).answers["a"] === 1);
  });

  test("gets no resource wrapped, though it has a time to live", async (context) => {
    const port = await startEcho(context, "a");
    const mortal = [...route({ cluster: "a" }), cluster("a"), endpoints("a", port)];
    const xds = await startRawXds(
      context,
      mortal.map((resource) => ({ ...resource, ttlMs: 60_000 })),
    );
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    expect(await client.call(target)).toEqual({ answers: { a: 1 }, errors: [] });
    expect(xds.recorder.events.filter(({ on }) => on === "refused")).toEqual([]);
  });

  test("never gets a type that it did not ask for, and so reads on", async (context) => {
    const [a, b] = [await startEcho(context, "a"), await startEcho(context, "b")];
    const others = (version: string): readonly Resource[] => [
      wireResource("SDS", "secret", version),
      wireResource("ECDS", "filter", version),
      wireResource("SRDS", "scope", version),
      wireResource("RTDS", "layer", version),
    ];
    const xds = await startRawXds(context, [
      ...route({ cluster: "a" }),
      cluster("a"),
      endpoints("a", a),
      ...others("1"),
    ]);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    await client.call(target);
    xds.set(...route({ cluster: "a" }), cluster("a"), endpoints("a", a), ...others("2"));
    xds.set(...route({ cluster: "a" }), cluster("a"), endpoints("a", b), ...others("3"));
    await waitFor(async () => (await client.call(target)).answers["b"] === 1);
    const sent = new Set(xds.recorder.events.filter(({ on }) => on === "sent").map(({ type }) => type));
    expect([...sent].sort()).toEqual(["CDS", "EDS", "LDS", "RDS"]);
  });

  test("keeps a cluster while another of its clusters changes", async (context) => {
    const [a, b] = [await startEcho(context, "a"), await startEcho(context, "b")];
    const routes = route({ cluster: "b", to: "b" }, { cluster: "a" });
    const assignments = [endpoints("a", a), endpoints("b", b)];
    const xds = await startRawXds(context, [...routes, cluster("a"), cluster("b"), ...assignments]);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    await client.call(target, { headers: { to: "b" } });
    const stop = await client.keepCalling(target, { headers: { to: "b" } });
    const clusters = () => xds.recorder.events.filter(({ on, type }) => on === "sent" && type === "CDS");
    const accepted = () => xds.recorder.events.filter(({ on, type }) => on === "accepted" && type === "CDS").length;
    for (const connectTimeoutMs of [1_000, 2_000, 3_000]) {
      const before = accepted();
      xds.set(...routes, cluster("a", { connectTimeoutMs }), cluster("b"), ...assignments);
      await waitFor(() => accepted() > before);
    }
    expect((await stop()).errors).toEqual([]);
    const both = clusters().filter(({ resources = [] }) => resources.length > 1);
    expect(both.length).toBeGreaterThanOrEqual(4);
    // Once it had asked for two, none was left out.
    for (const { resources } of both) expect(resources?.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(clusters().at(-1)).toBe(both.at(-1));
  });

  test("waits for nobody: a cluster without endpoints takes no other down", async (context) => {
    const a = await startEcho(context, "a");
    const xds = await startRawXds(context, [
      ...route({ cluster: "b", to: "b" }, { cluster: "a" }),
      ...[cluster("a"), endpoints("a", a), cluster("b")],
    ]);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    expect(await client.call(target)).toEqual({ answers: { a: 1 }, errors: [] });
    const { errors } = await client.call(target, { headers: { to: "b" } });
    expect(errors.map(({ code }) => code)).toEqual([grpcStatus.unavailable]);

    // The same when a table in use comes to name such a cluster.
    xds.set(
      ...route({ cluster: "c", to: "c" }, { cluster: "b", to: "b" }, { cluster: "a" }),
      ...[cluster("a"), endpoints("a", a), cluster("b"), cluster("c")],
    );
    await waitFor(async () => {
      const report = await client.call(target, { headers: { to: "c" } });
      return report.errors[0]?.code === grpcStatus.unavailable;
    });
    expect((await client.call(target)).errors).toEqual([]);
  });

  test("takes what was missing at first as soon as it is there", async (context) => {
    const a = await startEcho(context, "a");
    const xds = await startRawXds(context, []);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    const early = client.call(target);
    await waitFor(() => xds.opened() === 1);
    const all = [...route({ cluster: "a" }), cluster("a"), endpoints("a", a)];
    for (const end of [1, 2, 3, 4]) xds.set(...all.slice(0, end));
    const { answers } = await waitFor(async () => {
      const report = await client.call(target);
      return report.errors.length === 0 ? report : undefined;
    });
    expect(answers).toEqual({ a: 1 });
    expect((await early).answers).toEqual(language === "grpc-js" ? { a: 1 } : expect.anything());
  });

  test("a set of clusters above what it takes raises an alarm, and it does not come back again and again", async (context) => {
    const a = await startEcho(context, "a");
    const small = [...route({ cluster: "a" }), cluster("a"), endpoints("a", a)];
    const xds = await startRawXds(context, small);
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    await client.call(target);
    const names = Array.from({ length: 40 }, (_, i) => `big-${i}`);
    xds.set(
      ...route(...names.map((name) => ({ cluster: name, to: name })), { cluster: "a" }),
      ...[cluster("a"), endpoints("a", a)],
      ...names.flatMap((name) => [cluster(name, { paddingBytes: 130_000 }), endpoints(name, a)]),
    );
    const stop = await client.keepCalling(target);
    const alarms = () => xds.metric(oversized);
    await waitFor(async () => (await alarms()) > 0);
    await pass(1_000);
    const raised = await alarms();
    // Time for a client that could not take the response to come back twice.
    await pass(2_000);
    expect(await alarms()).toBe(raised);
    expect((await stop()).errors).toEqual([]);
    expect(xds.opened()).toBe(1);
  });

  test.for([
    ["gRPC's own", {}],
    ["Istio's", { listenerTemplate: "xds.istio.io/grpc/lds/inbound/%s" }],
  ] as const)("a server serves when its listener is there, under %s name", async ([, template], context) => {
    const [port, a] = [await freePort(), await startEcho(context, "a")];
    const others = [...route({ cluster: "a" }), cluster("a"), endpoints("a", port)];
    const xds = await startRawXds(context, [...others, ...serverListeners(port)]);
    const server = await startGrpcClient(context, language, { xdsPort: xds.port, ...template });
    await server.serve(`127.0.0.1:${port}`, "served");
    // A client of the other kind calls it, by way of the same control plane.
    const client = await startGrpcClient(context, language, { xdsPort: xds.port });
    await waitFor(async () => (await client.call(target)).answers["served"] === 1);
    expect(xds.recorder.events.filter(({ on }) => on === "refused")).toEqual([]);
    expect(a).toBeGreaterThan(0);
  });
});

/** Missing by name, for a client that reads errors of single resources: it fails at once, in our words. */
describe.concurrent("grpcio with resource errors", { timeout: 60_000 }, () => {
  const env = { GRPC_EXPERIMENTAL_XDS_DATA_ERROR_HANDLING: "true" };
  const all = route({ cluster: "a" });
  test.for([
    ["listener", 0, target],
    ["route table", 1, "table"],
    ["cluster", 2, "a"],
  ] as const)("a missing %s fails the call at once", async ([, present, name], context) => {
    const xds = await startRawXds(context, all.slice(0, present));
    const client = await startGrpcClient(context, "grpcio", { xdsPort: xds.port, env });
    const { errors } = await client.call(target);
    expect(errors).toHaveLength(1);
    expect(errors[0]?.code).toBe(grpcStatus.unavailable);
    expect(errors[0]?.details).toContain(name);
    // Its own patience is 15 s.
    expect(errors[0]?.afterMs).toBeLessThan(5_000);
  });
});

/** Counts responses that were not sent because no client of the kind takes so much. */
const oversized = "fairway_xds_oversized_total";

/** What does not happen can only be waited for. */
async function pass(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await waitFor(() => performance.now() > until);
}

/** Ends connections at this age. */
const ageOf = (maxConnectionAgeMs: number): object => ({ maxConnectionAgeMs });
