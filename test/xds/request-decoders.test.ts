import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createRequestDecoders } from "../../src/xds/request-decoders.ts";

const typeUrl = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
const names = (mark: string, count = 100) => Array.from({ length: count }, (_, index) => `${mark}-cluster-${index}`);

const delta = (resourceNamesSubscribe: string[], id?: string): Uint8Array =>
  toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, { typeUrl, resourceNamesSubscribe, ...(id !== undefined && { node: { id } }) }),
  );

test("long requests of the same bytes are one object, and others are what they say", () => {
  const { delta: decode } = createRequestDecoders(1_000_000);
  const first = decode(delta(names("a")));
  expect(decode(delta(names("a")))).toBe(first);
  expect(first.subscribe).toEqual(names("a"));
  // As long, but not the same.
  expect(decode(delta(names("b"))).subscribe).toEqual(names("b"));
  expect(decode(delta(names("a"))).subscribe).toEqual(names("a"));
});

test("the state-of-the-world variant is remembered on its own", () => {
  const decoders = createRequestDecoders(1_000_000);
  const bytes = toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { typeUrl, resourceNames: names("a") }),
  );
  expect(decoders.sotw(bytes)).toBe(decoders.sotw(bytes.slice()));
  expect(decoders.sotw(bytes).names).toEqual(names("a"));
});

test("short requests, and those with a node, are not kept", () => {
  const { delta: decode } = createRequestDecoders(1_000_000);
  expect(decode(delta(["a"]))).not.toBe(decode(delta(["a"])));
  expect(decode(delta(names("a"), "n"))).not.toBe(decode(delta(names("a"), "n")));
});

test("what was not used for longest is forgotten", () => {
  const sizes = [100, 101, 102].map((count) => delta(names("a", count)));
  const [first = delta([]), second = delta([]), third = delta([])] = sizes;
  const { delta: decode } = createRequestDecoders(first.length + third.length);
  const [one, two] = [decode(first), decode(second)];
  expect(decode(first)).toBe(one);
  decode(third);
  expect(decode(first)).toBe(one);
  expect(decode(second)).not.toBe(two);
});
