import { create, createRegistry, equals, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createResponseCache, type ResponseCache } from "../../src/xds/response-cache.ts";
import { wireResource } from "../support/wire-resources.ts";

const cds = resourceType("CDS");
const a1 = wireResource("CDS", "a", "1");
const b1 = wireResource("CDS", "b", "1");

function cacheOf(maxBytes = 1_000_000): { readonly cache: ResponseCache; readonly encodes: () => number } {
  let count = 0;
  const cache = createResponseCache({ identifier: "cp", firstSequence: 100, maxBytes, onEncode: () => count++ });
  return { cache, encodes: () => count };
}

const bytesOf = (cache: ResponseCache, list: readonly Resource[], after = -1) =>
  cache.encode("sotw", cds, list, [], after);

describe("sharing", () => {
  test("equal content is one buffer for all streams", () => {
    const { cache, encodes } = cacheOf();
    const first = bytesOf(cache, [a1, b1]);
    const second = bytesOf(cache, [wireResource("CDS", "a", "1"), b1]);
    expect(second.bytes).toBe(first.bytes);
    expect(second.nonce).toBe(first.nonce);
    expect(encodes()).toBe(1);
  });

  test("a stream that already got this nonce gets the same content in a new envelope, which is shared from then on", () => {
    const { cache, encodes } = cacheOf();
    const first = bytesOf(cache, [a1]);
    const other = bytesOf(cache, [b1], first.sequence);
    const again = bytesOf(cache, [a1], other.sequence);
    expect(again.sequence).toBeGreaterThan(other.sequence);
    const [one, two] = [first, again].map(({ bytes }) => fromBinary(DiscoveryResponseSchema, bytes));
    expect(two).toEqual({ ...one, nonce: again.nonce });
    expect(bytesOf(cache, [a1], other.sequence).bytes).toBe(again.bytes);
    expect(encodes()).toBe(2);
  });

  test("variant, type, content and removals all tell responses apart", () => {
    const { cache } = cacheOf();
    const responses = [
      cache.encode("sotw", cds, [a1], [], -1),
      cache.encode("delta", cds, [a1], [], -1),
      cache.encode("delta", cds, [a1], ["b"], -1),
      cache.encode("sotw", resourceType("LDS"), [a1], [], -1),
      cache.encode("sotw", cds, [wireResource("CDS", "a", "2")], [], -1),
      cache.encode("sotw", cds, [], [], -1),
    ];
    expect(new Set(responses.map(({ nonce }) => nonce)).size).toBe(responses.length);
  });

  test("the version is that of the content, on every replica", () => {
    const [one, two] = [cacheOf(), cacheOf()];
    bytesOf(two.cache, [b1]);
    const [left, right] = [one, two].map(({ cache }) =>
      fromBinary(DiscoveryResponseSchema, bytesOf(cache, [a1]).bytes),
    );
    expect(left?.versionInfo).toMatch(/^[\w-]{22}$/);
    expect(right?.versionInfo).toBe(left?.versionInfo);
    expect(right?.nonce).not.toBe(left?.nonce);
  });
});

describe("bounds", () => {
  test("what was not used for longest is forgotten first", () => {
    const size = bytesOf(cacheOf().cache, [a1]).bytes.length;
    const { cache, encodes } = cacheOf(2.5 * size);
    const c1 = wireResource("CDS", "c", "1");
    for (const list of [[a1], [b1], [a1], [c1], [a1]]) bytesOf(cache, list);
    expect(encodes()).toBe(3);
    bytesOf(cache, [b1]);
    expect(encodes()).toBe(4);
  });

  test("what is larger than the whole cache is sent and not kept", () => {
    const { cache, encodes } = cacheOf(10);
    bytesOf(cache, [a1]);
    bytesOf(cache, [a1]);
    expect(encodes()).toBe(2);
  });
});

test("the bytes are the message, field for field", () => {
  const { cache } = cacheOf();
  const list = [a1, wireResource("CDS", `ü${"n".repeat(200)}`, "1", "x".repeat(70_000))];
  const controlPlane = { identifier: "cp" };
  const any = (value: Uint8Array) => ({ typeUrl: cds.url, value });

  const sotw = fromBinary(DiscoveryResponseSchema, cache.encode("sotw", cds, list, [], -1).bytes);
  const wantSotw = create(DiscoveryResponseSchema, {
    versionInfo: sotw.versionInfo,
    nonce: (100).toString(36),
    typeUrl: cds.url,
    resources: list.map(({ bytes }) => any(bytes)),
    controlPlane,
  });
  expect(equals(DiscoveryResponseSchema, sotw, wantSotw, { unknown: true, registry: createRegistry() })).toBe(true);

  const delta = fromBinary(DeltaDiscoveryResponseSchema, cache.encode("delta", cds, list, ["gone"], -1).bytes);
  const wantDelta = create(DeltaDiscoveryResponseSchema, {
    systemVersionInfo: delta.systemVersionInfo,
    nonce: (101).toString(36),
    typeUrl: cds.url,
    resources: list.map(({ name, version, bytes }) => ({ name, version, resource: any(bytes) })),
    removedResources: ["gone"],
    controlPlane,
  });
  expect(equals(DeltaDiscoveryResponseSchema, delta, wantDelta, { unknown: true, registry: createRegistry() })).toBe(
    true,
  );
});
