import { create, createRegistry, equals, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { ResponseContent } from "../../src/envoy/discovery-response.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createResponseCache, type EncodedResponse, type ResponseCache } from "../../src/xds/response-cache.ts";
import { wireResource } from "../support/wire-resources.ts";

const cds = resourceType("CDS");
const a1 = wireResource("CDS", "a", "1");
const b1 = wireResource("CDS", "b", "1");

function cacheOf(maxBytes = 1_000_000): { readonly cache: ResponseCache; readonly encodes: () => number } {
  let count = 0;
  const cache = createResponseCache({ identifier: "cp", firstSequence: 100, maxBytes, onEncode: () => count++ });
  return { cache, encodes: () => count };
}

const content = (resources: readonly Resource[], removed: readonly string[] = []): ResponseContent => ({
  resources,
  removed,
  missing: [],
  unavailable: [],
  bodiless: [],
  heartbeats: [],
  ttl: false,
});

const bytesOf = (cache: ResponseCache, list: readonly Resource[], last?: EncodedResponse) =>
  cache.encode("sotw", cds, content(list), last);

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
    const other = bytesOf(cache, [b1], first);
    const again = bytesOf(cache, [a1], other);
    expect(again.sequence).toBeGreaterThan(other.sequence);
    const [one, two] = [first, again].map(({ bytes }) => fromBinary(DiscoveryResponseSchema, bytes));
    expect(two).toEqual({ ...one, nonce: again.nonce });
    expect(bytesOf(cache, [a1], other).bytes).toBe(again.bytes);
    expect(encodes()).toBe(2);
  });

  test("variant, type, content and removals all tell responses apart", () => {
    const { cache } = cacheOf();
    const responses = [
      cache.encode("sotw", cds, content([a1]), undefined),
      cache.encode("delta", cds, content([a1]), undefined),
      cache.encode("delta", cds, content([a1], ["b"]), undefined),
      cache.encode("sotw", resourceType("LDS"), content([a1]), undefined),
      cache.encode("sotw", cds, content([wireResource("CDS", "a", "2")]), undefined),
      cache.encode("sotw", cds, content([]), undefined),
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

  const sotw = fromBinary(DiscoveryResponseSchema, cache.encode("sotw", cds, content(list), undefined).bytes);
  const wantSotw = create(DiscoveryResponseSchema, {
    versionInfo: sotw.versionInfo,
    nonce: (100).toString(36),
    typeUrl: cds.url,
    resources: list.map(({ bytes }) => any(bytes)),
    controlPlane,
  });
  expect(equals(DiscoveryResponseSchema, sotw, wantSotw, { unknown: true, registry: createRegistry() })).toBe(true);

  const delta = fromBinary(
    DeltaDiscoveryResponseSchema,
    cache.encode("delta", cds, content(list, ["gone"]), undefined).bytes,
  );
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
