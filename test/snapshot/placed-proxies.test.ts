import { expect, test } from "vitest";
import type { World } from "../../src/compile/world.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { type CatalogEntry, createCatalog } from "../../src/model/catalog.ts";
import { parseLocality } from "../../src/model/locality.ts";
import type { Service } from "../../src/model/service.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import { instance, service, sidecar, world } from "../support/mesh.ts";
import { setUp } from "./cache-lab.ts";

/* Proxies are told apart by where they are as soon as a service asks for it, and only as long. */

const reviews = (of: Partial<Service> = {}, last = "10.0.0.2"): CatalogEntry => {
  const { service: made, instances } = service("reviews", [
    instance("1", { address: "10.0.0.1", locality: "r/z1" }),
    instance("2", { address: last, locality: "r/z2" }),
  ]);
  return { service: { ...made, ...of }, instances };
};

const next = (before: World | undefined, ...entries: readonly CatalogEntry[]): World => {
  const fresh = world({ catalog: shareCatalog(before?.catalog, createCatalog(entries)) });
  return { ...fresh, rules: before?.rules ?? fresh.rules, holds: before?.holds ?? fresh.holds };
};

const endpoints = (set: ResourceSet | undefined) =>
  set?.resources.EDS.get("outbound|9080||reviews.shop.svc.cluster.local");

test("a service that asks for nearness, and does not any more, moves them", () => {
  const first = next(undefined, reviews());
  const { current, follow } = setUp(first);
  const [one, two, alike] = ["r/z1", "r/z2", "r/z2"].map((locality, index) =>
    follow(sidecar(`web-${index}`, { locality: parseLocality(locality), nodeName: `n${index}` })),
  );
  const [a, b, c] = [one, two, alike].map((each) => () => each?.watch.current());
  expect(a?.()).toBe(b?.());
  current.set(next(current.value, reviews({ distribution: "prefer-same-zone" })));
  expect(endpoints(a?.())).not.toBe(endpoints(b?.()));
  expect(b?.()).toBe(c?.());
  expect([one, two, alike].map((each) => each?.heard.length)).toEqual([1, 1, 1]);
  const before = [a?.(), b?.()].map(endpoints);
  current.set(next(current.value, reviews({ distribution: "prefer-same-zone" }, "10.0.0.3")));
  for (const [index, set] of [a?.(), b?.()].entries()) expect(endpoints(set)).not.toBe(before[index]);
  expect([one, two, alike].map((each) => each?.heard.length)).toEqual([2, 2, 2]);
  current.set(next(current.value, reviews()));
  expect(a?.()).toBe(b?.());
});
