import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { decodeDeltaRequest } from "../../src/envoy/discovery-request.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createRequestDecoders } from "../../src/xds/request-decoders.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const typeUrl = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
const names = (mark: string, count = 100) => Array.from({ length: count }, (_, index) => `${mark}-cluster-${index}`);

const delta = (resourceNamesSubscribe: string[], id?: string): Uint8Array =>
  toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, { typeUrl, resourceNamesSubscribe, ...(id !== undefined && { node: { id } }) }),
  );

test("long requests of the same bytes are one object, and others are what they say", () => {
  const { delta: decode } = createRequestDecoders(createFakeClock(), 1_000_000);
  const { request: first } = decode(delta(names("a")));
  expect(decode(delta(names("a"))).request).toBe(first);
  expect(first.subscribe).toEqual(names("a"));
  // As long, but not the same.
  expect(decode(delta(names("b"))).request.subscribe).toEqual(names("b"));
  expect(decode(delta(names("a"))).request.subscribe).toEqual(names("a"));
});

test("the state-of-the-world variant is remembered on its own", () => {
  const decoders = createRequestDecoders(createFakeClock(), 1_000_000);
  const bytes = toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { typeUrl, resourceNames: names("a") }),
  );
  expect(decoders.sotw(bytes).request).toBe(decoders.sotw(bytes.slice()).request);
  expect(decoders.sotw(bytes).request.names).toEqual(names("a"));
});

test("short requests are one object too, told apart by every byte", () => {
  const { delta: decode } = createRequestDecoders(createFakeClock(), 1_000_000);
  const { request } = decode(delta(["a"]));
  expect(decode(delta(["a"])).request).toBe(request);
  expect(decode(delta(["b"])).request.subscribe).toEqual(["b"]);
  expect(decode(delta(["\u00e9"])).request.subscribe).toEqual(["\u00e9"]);
});

test("of requests with a node the rest is shared, and each has its own node", () => {
  const { delta: decode } = createRequestDecoders(createFakeClock(), 1_000_000);
  const [one, two] = ["one", "two"].map((id) => decode(delta(names("a"), id)));
  expect([one?.node?.id, two?.node?.id]).toEqual(["one", "two"]);
  expect(two?.request).toBe(one?.request);
  expect({ ...one?.request, node: one?.node }).toEqual(decodeDeltaRequest(delta(names("a"), "one")));
});

test("a node after other fields, two nodes, and no message at all are what they are without a memory", () => {
  const { delta: decode } = createRequestDecoders(createFakeClock(), 1_000_000);
  const [long, node] = [delta(names("a")), delta([], "one")];
  for (const bytes of [Buffer.concat([long, node]), Buffer.concat([node, long, delta([], "two")])]) {
    const { request, node: found } = decode(bytes);
    expect({ ...request, node: found }).toEqual(decodeDeltaRequest(bytes));
  }
  expect(() => decode(Buffer.alloc(2_000, 0xff))).toThrow("no DeltaDiscoveryRequest");
  expect(() => decode(Buffer.concat([Buffer.from([0x0a, 0xff, 0xff, 0x7f]), Buffer.alloc(2_000)]))).toThrow(
    "no DeltaDiscoveryRequest",
  );
});

test("what nobody sends for some seconds is forgotten; what is sent again stays", () => {
  const clock = createFakeClock();
  const { delta: decode } = createRequestDecoders(clock, 1_000_000);
  const [one, two] = [decode(delta(names("a"))).request, decode(delta(names("a", 101))).request];
  for (let i = 0; i < 5; i++) {
    clock.advance(3_000);
    expect(decode(delta(names("a"))).request).toBe(one);
  }
  expect(decode(delta(names("a", 101))).request).not.toBe(two);
  clock.advance(20_000);
  expect(decode(delta(names("a"))).request).not.toBe(one);
  expect(clock.pending()).toBe(0);
});

test("beyond the bytes that may be remembered it begins anew", () => {
  const bytes = delta(names("a"));
  const { delta: decode } = createRequestDecoders(createFakeClock(), 4 * 2 * bytes.length);
  const one = decode(bytes).request;
  expect(decode(bytes).request).toBe(one);
  for (const count of [101, 102]) decode(delta(names("a", count)));
  expect(decode(bytes).request).not.toBe(one);
});

test("one that is longer than a quarter of that is not kept, and costs the others nothing", () => {
  const [short, long] = [delta(names("a")), delta(names("a", 500))];
  const { delta: decode } = createRequestDecoders(createFakeClock(), 4 * short.length);
  const one = decode(short).request;
  expect(decode(long).request).not.toBe(decode(long).request);
  expect(decode(short).request).toBe(one);
});

test("what is kept is a copy: its bytes may be written over", () => {
  const { delta: decode } = createRequestDecoders(createFakeClock(), 1_000_000);
  const bytes = delta(names("a"));
  const one = decode(bytes).request;
  bytes.fill(0xff);
  expect(decode(delta(names("a"))).request).toBe(one);
});
