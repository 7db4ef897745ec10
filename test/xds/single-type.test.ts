import { Client, credentials, status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { type Versions, wireSet } from "../support/wire-resources.ts";
import { node, startServer, versions } from "./live-server.ts";

const everything: Versions = Object.fromEntries(resourceTypes.map(({ short }) => [short, { x: "1" }]));

interface Method {
  readonly type: TypeName;
  readonly path: string;
}

const methods = (variant: "sotw" | "delta" | "fetch"): readonly Method[] =>
  resourceTypes.flatMap(({ short: type, service }) => {
    const name = service[variant];
    return name === undefined ? [] : [{ type, path: `${service.path}/${name}` }];
  });

const other = (type: TypeName): TypeName => (type === "LDS" ? "CDS" : "LDS");

describe("SNG-01 a method for each type", () => {
  test.each(methods("sotw"))("$path: with the type named and not, and nothing of another", async ({ type, path }) => {
    const { client } = await startServer(wireSet(everything));
    const one = client();
    for (const fields of [{}, { typeUrl: "" }]) {
      const stream = one.openSotw(path);
      stream.send(type, { node, names: ["x"], ...fields });
      expect(versions(await stream.accept(type))).toEqual({ x: "1" });
    }
    const stream = one.openSotw(path);
    stream.send(other(type), { node, names: ["x"] });
    expect(await stream.status()).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/^this method serves \S+ and not \S+\./),
    });
    expect(stream.received).toEqual([]);
  });

  test.each(methods("delta"))("$path: with the type named and not, and nothing of another", async ({ type, path }) => {
    const { client } = await startServer(wireSet(everything));
    const one = client();
    for (const fields of [{}, { typeUrl: "" }]) {
      const stream = one.openDelta(path);
      stream.send(type, { node, subscribe: ["x"], ...fields });
      expect(versions(await stream.accept(type))).toEqual({ x: "1" });
    }
    const stream = one.openDelta(path);
    stream.send(other(type), { node, subscribe: ["x"] });
    expect(await stream.status()).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(stream.received).toEqual([]);
  });

  test("STR-02 without a node", async () => {
    const { client } = await startServer(wireSet(everything));
    const one = client();
    const streams = [
      ...methods("sotw").map(({ path }) => one.openSotw(path)),
      ...methods("delta").map(({ path }) => one.openDelta(path)),
    ];
    for (const stream of streams) stream.send("CDS", { typeUrl: "" });
    for (const stream of streams) {
      expect(await stream.status()).toMatchObject({
        code: status.INVALID_ARGUMENT,
        details: "the first request of a stream must carry the node",
      });
    }
  });
});

test("SNG-02 what is not served says so", async () => {
  const { port } = await startServer(wireSet(everything));
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = (path: string) =>
    new Promise((resolve) => client.makeUnaryRequest(path, asIs, asIs, Buffer.alloc(0), resolve));
  for (const { path } of methods("fetch")) {
    expect(await call(path)).toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringMatching(/ is not served: only streams are; use Stream\w+ or Delta\w+, or ADS$/),
    });
  }
  expect(await call("/envoy.service.route.v3.VirtualHostDiscoveryService/StreamVirtualHosts")).toMatchObject({
    code: status.UNIMPLEMENTED,
  });
});

test("SNG-03 200 streams of one node, each gets its name, and one that ends leaves the others", async () => {
  const names = Array.from({ length: 200 }, (_, i) => `c${i}`);
  const set = (version: string) => wireSet({ EDS: Object.fromEntries(names.map((name) => [name, version])) });
  const { client, feed, metric } = await startServer(set("1"));
  const one = client();
  const streams = names.map((name) => {
    const stream = one.openSotw("/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints");
    stream.send("EDS", { node, names: [name] });
    return { name, stream };
  });
  for (const { name, stream } of streams) expect(versions(await stream.accept("EDS"))).toEqual({ [name]: "1" });
  expect(await metric("connections")).toBe(1);
  streams[0]?.stream.cancel();
  feed.set(set("2"));
  for (const { name, stream } of streams.slice(1)) {
    expect(versions(await stream.accept("EDS"))).toEqual({ [name]: "2" });
  }
});
