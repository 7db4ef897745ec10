import { constants } from "node:http2";
import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import type { XdsOptions } from "../../src/xds/options.ts";
import { waitFor } from "../support/wait-for.ts";
import { wireSet } from "../support/wire-resources.ts";
import type { SotwStream } from "../support/xds-client.ts";
import { node, nodeOf, old, startServer } from "./live-server.ts";
import { connectRaw, framed, requestBytes } from "./raw-peer.ts";

/** STR-07: whatever way a stream ends, nothing of it is left. */

const rounds = 25;
const eachRound = 8;

type Server = Awaited<ReturnType<typeof startServer>>;

/** No stream, watch, timer, connection or byte is left, and the next stream is served. */
async function expectNothingLeft({ metric, pending, client, ledger }: Server): Promise<void> {
  const gauges = ["streams", "watches", "connections", "bytes_in_flight", "waiting_streams"];
  const left = async () => [...(await Promise.all(gauges.map((name) => metric(name)))), pending()];
  await waitFor(async () => (await left()).every((count) => count === 0), { what: "zero in all gauges" }).catch(
    async (cause: unknown) => {
      throw new Error(`left: ${await left()}`, { cause });
    },
  );
  expect(ledger.proxies().filter(({ streams }) => streams > 0)).toEqual([]);
  const next = client().openSotw();
  next.send("CDS", { node });
  await next.accept("CDS");
}

const start = (options: Partial<XdsOptions> = {}): Promise<Server> =>
  startServer(wireSet(old), { rememberMs: 1, ...options });

describe("STR-07 streams that end by the client's doing", () => {
  test.each<[string, (stream: SotwStream) => void]>([
    ["half-close", (stream) => stream.halfClose()],
    ["cancel", (stream) => stream.cancel()],
    ["bytes that are no request", (stream) => stream.sendBytes(Uint8Array.of(0x0a, 0xff))],
    ["a request without a type", (stream) => stream.send("")],
  ])("%s", async (_, end) => {
    const server = await start();
    for (let round = 0; round < rounds; round++) {
      const one = server.client();
      const streams = Array.from({ length: eachRound }, () => one.openSotw());
      // In one half of the rounds at work, in the other before the first request.
      if (round % 2 === 0) for (const stream of streams) stream.send("CDS", { node });
      if (round % 4 === 0) await Promise.all(streams.map((stream) => stream.next("CDS")));
      for (const stream of streams) end(stream);
      await Promise.all(streams.map((stream) => stream.status()));
      one.close();
    }
    await expectNothingLeft(server);
  });

  test.each<[string, "stream" | "connection"]>([
    ["reset", "stream"],
    ["the connection is lost", "connection"],
  ])("%s", async (_, what) => {
    const server = await start();
    for (let round = 0; round < rounds; round++) {
      const { session, open } = connectRaw(server.port);
      const streams = Array.from({ length: eachRound }, (__, i) => {
        const stream = open();
        if (round % 2 === 0) stream.write(framed(requestBytes("CDS", nodeOf(i))));
        return stream;
      });
      if (round % 4 === 0) await waitFor(async () => (await server.metric("watches")) >= eachRound);
      if (what === "stream") for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      else session.destroy();
      if (what === "stream") session.close();
    }
    await expectNothingLeft(server);
  });
});

describe("STR-07 streams that are refused", () => {
  test.each<[string, Partial<XdsOptions>, (stream: SotwStream) => void, number]>([
    ["no node", {}, (stream) => stream.send("CDS"), status.INVALID_ARGUMENT],
    ["a bad node", {}, (stream) => stream.send("CDS", { node: { id: "x" } }), status.INVALID_ARGUMENT],
    ["silent", { firstRequestMs: 5 }, () => {}, status.DEADLINE_EXCEEDED],
    [
      "too large",
      { maxRequestBytes: 500 },
      (stream) => stream.send("CDS", { node, names: ["x".repeat(1_000)] }),
      status.RESOURCE_EXHAUSTED,
    ],
    [
      "too many of one node",
      { maxStreamsPerNode: 0 },
      (stream) => stream.send("CDS", { node }),
      status.RESOURCE_EXHAUSTED,
    ],
    [
      "the queue is full",
      { maxBytesInFlight: 0, maxWaitingStreams: 0 },
      (stream) => stream.send("CDS", { node }),
      status.RESOURCE_EXHAUSTED,
    ],
    [
      "the wait is too long",
      { maxBytesInFlight: 0, admissionTimeoutMs: 5 },
      (stream) => stream.send("CDS", { node }),
      status.UNAVAILABLE,
    ],
  ])("%s", async (_, options, send, code) => {
    const server = await start(options);
    for (let round = 0; round < rounds; round++) {
      const one = server.client();
      const streams = Array.from({ length: eachRound }, () => one.openSotw());
      for (const stream of streams) send(stream);
      const codes = await Promise.all(streams.map(async (stream) => (await stream.status()).code));
      expect(new Set(codes)).toEqual(new Set([code]));
      one.close();
    }
    const gauges = ["streams", "watches", "connections", "bytes_in_flight", "waiting_streams"];
    await waitFor(async () => (await Promise.all(gauges.map((name) => server.metric(name)))).every((n) => n === 0));
    await waitFor(() => server.pending() === 0);
    expect(server.ledger.proxies()).toEqual([]);
  });
});

test("STR-07 streams that go away while they wait to be let in", async () => {
  const { client, metric, pending, ledger } = await start({ maxBytesInFlight: 0 });
  const one = client();
  const streams = Array.from({ length: 50 }, () => one.openSotw());
  for (const stream of streams) stream.send("CDS", { node });
  await waitFor(async () => (await metric("waiting_streams")) === 50);
  for (const stream of streams) stream.cancel();
  await waitFor(async () => (await metric("waiting_streams")) + (await metric("streams")) === 0);
  one.close();
  await waitFor(() => pending() === 0);
  expect(ledger.proxies()).toEqual([]);
});

test("AUT-05 a connection too many is closed at once, and the others are served", async () => {
  const { client, metric } = await start({ maxConnections: 2 });
  const streams = [client().openSotw(), client().openSotw()];
  for (const stream of streams) {
    stream.send("CDS", { node });
    await stream.accept("CDS");
  }
  const late = client().openSotw();
  late.send("CDS", { node });
  expect((await late.status()).code).toBe(status.UNAVAILABLE);
  expect(await metric("connections")).toBe(2);
  expect(await metric("streams")).toBe(2);
});

test("AUT-05 a stream that asks without end is read at the rate, others at once", async () => {
  const { client, metric } = await start({ requestsPerSecond: 20, requestBurst: 10 });
  const one = client();
  const [loud, quiet] = [one.openSotw(), one.openSotw()];
  loud.send("CDS", { node });
  await loud.next("CDS");
  // A NACK of the same response again and again, as clients were seen to do it.
  const began = performance.now();
  for (let i = 0; i < 30; i++) loud.send("LDS", { names: [], nonce: "no such" });
  loud.send("EDS", { names: ["c1"] });
  quiet.send("CDS", { node });
  await quiet.next("CDS");
  expect(loud.received.map(({ type }) => type)).not.toContain("EDS");
  await waitFor(() => loud.received.some(({ type }) => type === "EDS"));
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(await metric("throttled_requests_total")).toBeGreaterThan(15);
  expect(await metric("streams")).toBe(2);
});
