import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { wireSet } from "../support/wire-resources.ts";
import { connectXds } from "../support/xds-client.ts";
import { node, nodeOf, old, startServer, versions } from "./live-server.ts";
import { connectRaw, framed, requestBytes, startBlackHole } from "./raw-peer.ts";

const megabyte = 1_000_000;
const big = (version: string, bytes = megabyte) => wireSet({ EDS: { big: `${version} ${"x".repeat(bytes)}` } });

describe("FLW-01 a client that does not read", () => {
  test("costs others nothing, and then gets the newest state", async () => {
    const { feed, client } = await startServer(wireSet({ EDS: { big: "0" } }), { ackTimeoutMs: 1 });
    const [slow, quick] = [client().openSotw(), client().openSotw()];
    for (const stream of [slow, quick]) {
      stream.send("EDS", { node, names: ["big"] });
      await stream.accept("EDS");
    }
    slow.pause();
    for (let i = 1; i <= 40; i++) {
      feed.set(big(String(i), 200_000));
      await quick.accept("EDS");
    }
    slow.resume();
    const last = await waitFor(() => slow.received.find((response) => versions(response)["big"]?.startsWith("40 ")));
    expect(last).toBeDefined();
    // The client takes in 16 messages by itself before it stops reading.
    expect(slow.received.length).toBeLessThan(25);
  });

  test("one response waits for it, whatever comes after; when it reads, nothing waits any more", async () => {
    const { feed, port, metric } = await startServer(big("0"), { ackTimeoutMs: 10, keepaliveIntervalMs: 50 });
    const stream = connectRaw(port).open();
    stream.pause();
    stream.write(framed(requestBytes("EDS", node, ["big"])));
    const waiting = await waitFor(() => metric("bytes_in_flight"));
    expect(waiting).toBeGreaterThan(megabyte);
    for (let i = 1; i <= 30; i++) feed.set(big(String(i)));
    // A sign of life does not make room.
    await waitFor(() => metric("connections"));
    expect(await metric("bytes_in_flight")).toBe(waiting);
    expect(await metric("pushes_total")).toBe(1);
    stream.resume();
    await waitFor(async () => (await metric("bytes_in_flight")) === 0 && (await metric("pushes_total")) === 2);
  });

  test("is cut off when it takes nothing for too long, and leaves nothing", async () => {
    const { port, metric, ledger } = await startServer(big("0"), { stallMs: 100 });
    const { session, open } = connectRaw(port);
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    const stream = open();
    stream.pause();
    stream.write(framed(requestBytes("EDS", node, ["big"])));
    await closed;
    await waitFor(async () => (await metric("streams")) === 0);
    expect(await metric("stalled_connections_total")).toBe(1);
    expect([await metric("connections"), await metric("watches"), await metric("bytes_in_flight")]).toEqual([0, 0, 0]);
    expect(ledger.proxies().map(({ streams }) => streams)).toEqual([0]);
  });

  test("ACK-08 one that is stopped gets the newest state in at most two responses when it goes on", async () => {
    const { feed, port, metric } = await startServer(wireSet({ CDS: { a: "0" } }), { ackTimeoutMs: 20 });
    const hole = await startBlackHole(port);
    const client = connectXds(hole.port);
    onTestFinished(client.close);
    const stream = client.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    await waitFor(async () => (await metric("ack_seconds_count")) === 1);
    hole.swallow();
    for (let i = 1; i <= 10; i++) {
      feed.set(wireSet({ CDS: { a: String(i) } }));
      const until = performance.now() + 40;
      await waitFor(() => performance.now() > until);
    }
    expect(await metric("pushes_total")).toBe(2);
    hole.goOn();
    await stream.accept("CDS");
    expect(versions(await stream.accept("CDS"))).toEqual({ a: "10" });
    await waitFor(async () => (await metric("ack_seconds_count")) === 3);
    expect(await metric("pushes_total")).toBe(3);
  });
});

describe("FLW-04 keepalive", () => {
  test("a peer that is gone without a word is noticed", async () => {
    const { port, metric } = await startServer(wireSet(old), { keepaliveIntervalMs: 100, keepaliveTimeoutMs: 400 });
    const hole = await startBlackHole(port);
    const client = connectXds(hole.port);
    onTestFinished(client.close);
    const stream = client.openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
    hole.swallow();
    await waitFor(async () => (await metric("connections")) === 0);
    expect([await metric("streams"), await metric("watches")]).toEqual([0, 0]);
  });

  test("a peer that pings often is not punished", async () => {
    const { port } = await startServer(wireSet({ CDS: { a: "1" } }));
    const { session, open } = connectRaw(port);
    const stream = open();
    stream.resume();
    stream.write(framed(requestBytes("CDS", node)));
    for (let i = 0; i < 200; i++) await new Promise((resolve) => session.ping(resolve));
    expect([session.destroyed, stream.destroyed]).toEqual([false, false]);
  });
});

test("FLW-05 connections end in order at their age, spread, and whoever comes back is served", async () => {
  const { client, metric } = await startServer(wireSet(old), { maxConnectionAgeMs: 1_000, keepaliveIntervalMs: 50 });
  const began = performance.now();
  const ends = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const one = client();
      const stream = one.openSotw();
      stream.send("CDS", { node: nodeOf(i) });
      await stream.next("CDS", 5_000);
      const { code, details } = await stream.status(10_000);
      const at = performance.now() - began;
      const again = one.openSotw();
      again.send("CDS", { node: nodeOf(i) });
      await again.next("CDS", 5_000);
      return { code, details, at };
    }),
  );
  expect(ends.filter(({ code }) => code !== status.OK)).toEqual([]);
  const times = ends.map(({ at }) => at).sort((a, b) => a - b);
  expect(times[0]).toBeGreaterThan(850);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(100);
  // On a busy machine the first to come back are old again by now.
  const ended = await metric("ended_total");
  expect(ended).toBeGreaterThanOrEqual(100);
  expect(await metric("ended_total", 'status="OK"')).toBe(ended);
});

test("FLW-07 500 streams on one connection; beyond the limit they wait in the client", async () => {
  const { client, metric } = await startServer(wireSet(old), { maxStreamsPerConnection: 500 });
  const one = client();
  const streams = Array.from({ length: 510 }, (_, i) => {
    const stream = one.openSotw();
    stream.send("CDS", { node: nodeOf(i) });
    return stream;
  });
  await Promise.all(streams.slice(0, 500).map((stream) => stream.next("CDS", 10_000)));
  expect([await metric("streams"), await metric("connections")]).toEqual([500, 1]);
  for (const stream of streams.slice(0, 10)) stream.halfClose();
  await Promise.all(streams.slice(500).map((stream) => stream.next("CDS", 10_000)));
});

describe("REC-03 a storm", () => {
  test("waits while too many bytes are on their way, and those who are in go on", async () => {
    const { port, client, feed, metric } = await startServer(
      wireSet({ CDS: { a: "1" }, EDS: { big: "x".repeat(megabyte) } }),
      {
        maxBytesInFlight: megabyte / 2,
      },
    );
    const before = client().openSotw();
    before.send("CDS", { node });
    await before.accept("CDS");
    const stuck = connectRaw(port).open();
    stuck.pause();
    stuck.write(framed(requestBytes("EDS", nodeOf(1), ["big"])));
    await waitFor(() => metric("bytes_in_flight"));
    const late = Array.from({ length: 20 }, (_, i) => {
      const stream = client().openSotw();
      stream.send("CDS", { node: nodeOf(10 + i) });
      return stream;
    });
    await waitFor(async () => (await metric("waiting_streams")) === 20);
    feed.set(wireSet({ CDS: { a: "2" }, EDS: { big: "x".repeat(megabyte) } }));
    expect(versions(await before.accept("CDS"))).toEqual({ a: "2" });
    expect(late.flatMap(({ received }) => received)).toEqual([]);
    stuck.resume();
    for (const stream of late) expect(versions(await stream.accept("CDS"))).toEqual({ a: "2" });
    expect(await metric("waiting_streams")).toBe(0);
  });

  test("is turned away in words where it cannot wait", async () => {
    const { port, client, metric } = await startServer(big("0"), {
      maxBytesInFlight: megabyte / 2,
      maxWaitingStreams: 2,
      admissionTimeoutMs: 300,
    });
    const stuck = connectRaw(port).open();
    stuck.pause();
    stuck.write(framed(requestBytes("EDS", node, ["big"])));
    await waitFor(() => metric("bytes_in_flight"));
    const ends = Array.from({ length: 5 }, async (_, i) => {
      const stream = client().openSotw();
      stream.send("CDS", { node: nodeOf(i) });
      return (await stream.status()).code;
    });
    const { UNAVAILABLE, RESOURCE_EXHAUSTED } = status;
    const codes = (await Promise.all(ends)).sort((a, b) => a - b);
    expect(codes).toEqual([RESOURCE_EXHAUSTED, RESOURCE_EXHAUSTED, RESOURCE_EXHAUSTED, UNAVAILABLE, UNAVAILABLE]);
    expect(await metric("turned_away_total", 'limit="queue-full"')).toBe(3);
    expect(await metric("turned_away_total", 'limit="waited-too-long"')).toBe(2);
    expect(await metric("waiting_streams")).toBe(0);
  });
});

describe("FLW-06 a drain", () => {
  test("ends streams with OK, those without an answer with UNAVAILABLE, and takes no more", async () => {
    const { server, client, openStreams } = await startServer(wireSet(old));
    const streams = Array.from({ length: 25 }, () => client().openSotw());
    for (const stream of streams) {
      stream.send("CDS", { node });
      await stream.accept("CDS");
    }
    const single = client().openSotw("/envoy.service.listener.v3.ListenerDiscoveryService/StreamListeners");
    single.send("LDS", { node });
    await single.accept("LDS");
    const silent = [
      client().openDelta(),
      client().openDelta("/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters"),
    ];
    await waitFor(async () => (await openStreams()) === 28);
    const begun = performance.now();
    await server.drain(2_000);
    expect(performance.now() - begun).toBeLessThan(2_000);
    for (const stream of [...streams, single]) expect((await stream.status()).code).toBe(status.OK);
    for (const stream of silent) expect((await stream.status()).code).toBe(status.UNAVAILABLE);
    const late = client().openSotw();
    late.send("CDS", { node });
    expect((await late.status()).code).toBe(status.UNAVAILABLE);
  });

  test("pings do not get in its way: not one of 40 streams is cut off", async () => {
    const { server, client } = await startServer(wireSet(old), { keepaliveIntervalMs: 20 });
    const one = client();
    const streams = Array.from({ length: 40 }, () => one.openSotw());
    for (const [index, stream] of streams.entries()) {
      stream.send("CDS", { node: nodeOf(index) });
      await stream.accept("CDS");
    }
    await server.drain(1_000);
    const ends = await Promise.all(streams.map((stream) => stream.status()));
    expect(ends.filter(({ code }) => code !== status.OK)).toEqual([]);
  });

  test("cuts off what does not end in time", async () => {
    const { server, port, metric } = await startServer(big("0"));
    const stuck = connectRaw(port).open();
    stuck.pause();
    stuck.write(framed(requestBytes("EDS", node, ["big"])));
    await waitFor(() => metric("bytes_in_flight"));
    const begun = performance.now();
    await server.drain(200);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await metric("connections")).toBe(0);
    await waitFor(async () => (await metric("streams")) === 0);
  });

  test("of a server without connections is over at once", async () => {
    const { server } = await startServer(wireSet(old));
    const begun = performance.now();
    await server.drain(5_000);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
