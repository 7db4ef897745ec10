import { expect, test } from "vitest";
import { encodeDeltaResponse, encodeNonce, encodeSotwResponse } from "../../src/envoy/discovery-response.ts";
import type { Resource } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import { emptyContent } from "../../src/xds/dialect.ts";
import { estimate, firstPart } from "../../src/xds/fit.ts";
import { wireResource } from "../support/wire-resources.ts";

const type = resourceType("EDS");

const names = (count: number, length: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => String(i).padStart(length, "n"));

const resources = (count: number): readonly Resource[] =>
  names(count, 60).map((name) => wireResource("EDS", name, "v".repeat(40), ""));

test.each([
  ["nothing", emptyContent],
  ["resources", { ...emptyContent, resources: resources(1_000) }],
  ["removals", { ...emptyContent, removed: names(1_000, 1) }],
  ["errors", { ...emptyContent, missing: names(1_000, 1) }],
  ["errors of long names", { ...emptyContent, missing: names(1_000, 300) }],
  ["answers without a body", { ...emptyContent, bodiless: names(1_000, 300) }],
])("the estimate is the encoded size and little more: %s", (_, content) => {
  const envelope = { typeUrl: type.url, version: "v".repeat(20), content, identifier: "fairway/test" };
  const encoded = [encodeSotwResponse, encodeDeltaResponse].map(
    (encode) => encode(envelope).length + encodeNonce("n").length,
  );
  expect(estimate(type, content)).toBeGreaterThanOrEqual(Math.max(...encoded));
  expect(estimate(type, content)).toBeLessThan(1_024 + 100_000 + 1.5 * Math.max(...encoded));
});

test("a part takes what just fits into it", () => {
  const weight = (resource: Resource): number =>
    estimate(type, { ...emptyContent, resources: [resource] }) - estimate(type, emptyContent);
  const base = weight({ ...wireResource("EDS", "a", "1"), bytes: new Uint8Array() });
  const sized = (name: string, bytes: number): Resource => ({
    ...wireResource("EDS", name, "1"),
    bytes: new Uint8Array(bytes - base),
  });
  const first = (...sizes: readonly number[]): readonly string[] => {
    const all = sizes.map((bytes, index) => sized("abc".charAt(index), bytes));
    const { content } = firstPart(type, { ...emptyContent, resources: all }, Number.POSITIVE_INFINITY);
    return content.resources.map(({ name }) => name);
  };
  expect(first(2_000_000, 2_000_000, 1_000)).toEqual(["a", "b"]);
  expect(first(2_000_000, 2_000_001, 1_000)).toEqual(["a"]);
});

test("a resource that is as large as the client takes is none too large", () => {
  const resource = { ...wireResource("EDS", "a", "1"), bytes: new Uint8Array(4_100_000) };
  const size = estimate(type, { ...emptyContent, resources: [resource] }) - estimate(type, emptyContent);
  const oversized = (maxBytes: number) =>
    firstPart(type, { ...emptyContent, resources: [resource] }, maxBytes).oversized;
  expect(oversized(size)).toEqual([]);
  expect(oversized(size - 1)).toEqual([resource]);
});
