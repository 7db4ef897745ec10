import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { Client, credentials, status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { frame } from "../../src/xds/grpc/framing.ts";
import type { ServedService } from "../../src/xds/services/served-service.ts";
import { selfSigned } from "../support/self-signed.ts";
import { waitFor } from "../support/wait-for.ts";
import { wireSet } from "../support/wire-resources.ts";
import { node, old, startDelta, startServer, startSotw, versions } from "./live-server.ts";
import { adsPath, framed, requestBytes } from "./raw-peer.ts";

/** Stories over real gRPC on loopback. */

/** How long nothing must come for silence to be believed. */
const quietMs = 100;
describe("state of the world", () => {
  test("subscribe, change, accept, refuse and hear no more of it until it changes", async () => {
    const { feed, client, ledger } = await startServer(wireSet(old));
    const stream = client().openSotw();
    stream.send("CDS", { node });
    const first = await stream.accept("CDS");
    expect(versions(first)).toEqual({ c1: "1" });
    expect(first.identifier).toBe("fairway/test");
    feed.set(wireSet({ ...old, CDS: { c1: "1", c2: "bad" } }));
    const second = await stream.next("CDS");
    expect(versions(second)).toEqual({ c1: "1", c2: "bad" });
    stream.nack(second, "c2: field x is wrong");
    stream.nack(second, "c2: field x is wrong");
    await stream.quiet(quietMs);
    expect(ledger.proxies()).toMatchObject([{ node: { id: node.id }, types: { CDS: { resources: 2, refused: 1 } } }]);
    feed.set(wireSet({ ...old, CDS: { c1: "1", c2: "good" } }));
    expect(versions(await stream.accept("CDS"))).toEqual({ c1: "1", c2: "good" });
    await waitFor(() => ledger.proxies()[0]?.types.CDS?.refused === 0);
  });

  test("a cluster goes when the route has left it", async () => {
    const { feed, client } = await startServer(wireSet(old));
    const stream = client().openSotw();
    await startSotw(stream);
    feed.set(wireSet({ ...old, CDS: { c2: "1" }, EDS: { c2: "1" }, RDS: { r: "2" } }));
    expect(versions(await stream.accept("CDS"))).toEqual({ c1: "1", c2: "1" });
    await stream.quiet(quietMs);
    stream.send("EDS", { names: ["c1", "c2"] });
    expect(versions(await stream.accept("EDS"))).toEqual({ c2: "1" });
    const route = await stream.next("RDS");
    await stream.quiet(quietMs);
    stream.ack(route);
    expect(versions(await stream.accept("CDS"))).toEqual({ c2: "1" });
  });
});

describe("delta", () => {
  test("subscribe, change, accept, refuse and hear no more of it until it changes", async () => {
    const { feed, client, ledger } = await startServer(wireSet(old));
    const stream = client().openDelta();
    stream.send("CDS", { node });
    expect(versions(await stream.accept("CDS"))).toEqual({ c1: "1" });
    feed.set(wireSet({ ...old, CDS: { c1: "1", c2: "bad" } }));
    const second = await stream.next("CDS");
    expect(versions(second)).toEqual({ c2: "bad" });
    stream.nack(second, "no such field");
    await stream.quiet(quietMs);
    expect(ledger.resourcesOf(node.id)).toMatchObject([
      { name: "c1", status: "accepted" },
      { name: "c2", status: "refused", refused: { reason: "no such field", suspect: true } },
    ]);
    feed.set(wireSet({ ...old, CDS: { c1: "1", c2: "good" } }));
    expect(versions(await stream.accept("CDS"))).toEqual({ c2: "good" });
  });

  test("a reconnect with equal versions gets nothing again, but its answers; the ledger knows what it has", async () => {
    const { client, ledger } = await startServer(wireSet(old));
    const before = client().openDelta();
    await startDelta(before);
    before.cancel();
    await waitFor(() => ledger.proxies()[0]?.streams === 0);
    const stream = client().openDelta();
    stream.send("CDS", { node, subscribe: ["*"], known: { c1: "1" } });
    stream.send("EDS", { subscribe: ["c1"], known: { c1: "1" } });
    stream.send("LDS", { subscribe: ["*"], known: { l: "1" } });
    stream.send("RDS", { subscribe: ["r"], known: { r: "1" } });
    expect(versions(await stream.accept("CDS"))).toEqual({});
    expect(versions(await stream.accept("LDS"))).toEqual({});
    await stream.quiet(quietMs);
    expect(ledger.resourcesOf(node.id)?.map(({ type, name, status: state }) => `${type} ${name} ${state}`)).toEqual([
      "CDS c1 accepted",
      "EDS c1 accepted",
      "LDS l accepted",
      "RDS r accepted",
    ]);
  });

  test("a cluster goes when the route has left it", async () => {
    const { feed, client } = await startServer(wireSet(old));
    const stream = client().openDelta();
    await startDelta(stream);
    feed.set(wireSet({ ...old, CDS: { c2: "1" }, EDS: { c2: "1" }, RDS: { r: "2" } }));
    expect(versions(await stream.accept("CDS"))).toEqual({ c2: "1" });
    stream.send("EDS", { subscribe: ["c2"] });
    expect(versions(await stream.accept("EDS"))).toEqual({ c2: "1" });
    const route = await stream.next("RDS");
    await stream.quiet(quietMs);
    stream.ack(route);
    expect((await stream.accept("CDS")).removed).toEqual(["c1"]);
    expect((await stream.accept("EDS")).removed).toEqual(["c1"]);
  });
});

describe("many streams", () => {
  test("streams with equal content share the encoding", async () => {
    const { client, metrics } = await startServer(wireSet(old));
    const streams = Array.from({ length: 20 }, () => client().openSotw());
    for (const stream of streams) stream.send("CDS", { node });
    const nonces = await Promise.all(streams.map(async (stream) => (await stream.accept("CDS")).nonce));
    expect(new Set(nonces).size).toBe(1);
    expect((await metrics.expose()).text).toContain('fairway_xds_encodes_total{type="CDS"} 1\n');
  });

  test("STR-08 two streams of one node: closing one leaves the other", async () => {
    const { feed, client, ledger } = await startServer(wireSet(old));
    const [older, newer] = [client().openSotw(), client().openSotw()];
    for (const stream of [older, newer]) {
      stream.send("CDS", { node });
      await stream.accept("CDS");
    }
    await waitFor(() => ledger.proxies()[0]?.streams === 2);
    older.cancel();
    await waitFor(() => ledger.proxies()[0]?.streams === 1);
    feed.set(wireSet({ CDS: { c1: "2" } }));
    expect(versions(await newer.accept("CDS"))).toEqual({ c1: "2" });
  });
});

describe("what a client may send", () => {
  test.each([
    ["nothing of itself", {}, "must carry the node"],
    ["a bad node", { node: { id: "x" } }, "does not name a proxy"],
    ["no type", { node, typeUrl: "" }, "type_url is empty"],
  ])("%s: refused with a clear text, and the next stream is served", async (_, fields, text) => {
    const { client } = await startServer(wireSet(old));
    const one = client();
    for (const stream of [one.openSotw(), one.openDelta()]) {
      stream.send("CDS", fields);
      expect(await stream.status()).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: expect.stringContaining(text),
      });
    }
    const next = one.openSotw();
    next.send("CDS", { node });
    await next.accept("CDS");
  });

  test("FLW-03 60 000 names of 80 characters and 40 000 known versions", async () => {
    const { client } = await startServer(wireSet(old));
    const names = Array.from({ length: 60_000 }, (_, i) => `n${i}`.padEnd(80, "-"));
    const stream = client().openSotw();
    stream.send("EDS", { node, names });
    const answered = new Set<string>();
    while (answered.size < names.length) {
      for (const name of (await stream.accept("EDS")).resources.keys()) answered.add(name);
    }
    const delta = client().openDelta();
    const known = Object.fromEntries(names.slice(0, 40_000).map((name) => [name, "v".repeat(22)]));
    delta.send("CDS", { node, known });
    expect([...(await delta.accept("CDS")).resources.keys()]).toEqual(["c1"]);
    expect((await delta.accept("CDS")).removed).toHaveLength(40_000);
  });

  test("more than the limit ends that stream", async () => {
    const { client } = await startServer(wireSet(old), { maxRequestBytes: 1_000 });
    const one = client();
    const stream = one.openSotw();
    stream.send("EDS", { node, names: ["x".repeat(2_000)] });
    expect(await stream.status()).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    const next = one.openSotw();
    next.send("CDS", { node });
    await next.accept("CDS");
  });

  test("what is not gRPC at all", async () => {
    const { client, port } = await startServer(wireSet(old));
    for (const text of [
      "GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u0009\xff\xff\xff\xff\xff\xff",
      "\0".repeat(9_999),
    ]) {
      const socket = connect(port, "127.0.0.1");
      await new Promise<void>((resolve) => {
        socket.on("error", () => {}).on("close", () => resolve());
        socket.resume().end(text, "latin1");
      });
    }
    const stream = client().openSotw();
    stream.send("CDS", { node });
    await stream.accept("CDS");
  });
});

test("an address that cannot be had", async () => {
  const [{ port }, { server }] = [await startServer(wireSet(old)), await startServer(wireSet(old))];
  await expect(server.listen("127.0.0.1", port)).rejects.toThrow(/EADDRINUSE/);
});

test("what else is served under the same address is there beside it", async () => {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const echo: ServedService = {
    methods: {
      "/test.Echo/Echo": (call) => ({
        receive: (request) => call.write(frame(request)),
        halfClosed: () => call.end("OK"),
        gone: () => {},
      }),
    },
  };
  const { port, client } = await startServer(wireSet(old), {}, { services: [echo] });
  const caller = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => caller.close());
  const answer = await new Promise<Buffer | undefined>((resolve) =>
    caller.makeUnaryRequest("/test.Echo/Echo", asIs, asIs, Buffer.from("hello"), (_, value) => resolve(value)),
  );
  expect(answer?.toString()).toBe("hello");
  const stream = client().openSotw();
  stream.send("CDS", { node });
  await stream.accept("CDS");
});

test("with TLS a connection's bytes and age are known as well", async () => {
  const { server, metric } = await startServer(wireSet({ EDS: { big: "x".repeat(100_000) } }));
  const { key, certificate } = selfSigned();
  const port = await server.listen("127.0.0.1", 0, { key, cert: certificate });
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  const headers = { ":method": "POST", ":path": adsPath, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request(headers, { endStream: false });
  stream.on("error", () => {});
  stream.pause();
  stream.write(framed(requestBytes("EDS", node, ["big"])));
  await waitFor(() => metric("bytes_in_flight"));
  expect(await metric("connections")).toBe(1);
  stream.resume();
  await waitFor(async () => (await metric("bytes_in_flight")) === 0);
  const stuck = session.request(headers, { endStream: false });
  stuck.on("error", () => {});
  stuck.pause();
  stuck.write(framed(requestBytes("EDS", node, ["big"])));
  await waitFor(() => metric("bytes_in_flight"));
  await server.drain(100);
  await waitFor(async () => (await metric("connections")) + (await metric("streams")) === 0);
});
