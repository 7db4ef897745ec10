import { expect, test } from "vitest";
import { createSignal } from "../../src/base/signal.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { aggregateRegistries } from "../../src/registry/aggregate.ts";
import { shareCatalog } from "../../src/registry/share-catalog.ts";
import type { RegistrySource } from "../../src/registry/source.ts";
import { service } from "../support/mesh.ts";

function source(name: string) {
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal({ state: "LIVE", since: 0, problems: [] } as const);
  const registry: RegistrySource = { name, catalog, health, close: async () => {} };
  return { registry, catalog };
}

test("waits for everyone, then follows each; the first registry defines a host", () => {
  const [a, b] = [source("a"), source("b")];
  const aggregate = aggregateRegistries([a.registry, b.registry]);
  a.catalog.set(createCatalog([service("reviews")]));
  expect(aggregate.catalog.value).toBeUndefined();
  const first = createCatalog([service("reviews", [], { namespace: "shop", createdAt: 7 }), service("ratings")]);
  b.catalog.set(first);
  expect([...(aggregate.catalog.value?.services.keys() ?? [])]).toEqual([
    "shop/ratings.shop.svc.cluster.local",
    "shop/reviews.shop.svc.cluster.local",
  ]);
  expect(aggregate.conflicts.value).toEqual([{ host: "reviews.shop.svc.cluster.local", definedBy: "a", leftOut: "b" }]);
  const before = aggregate.catalog.value;
  b.catalog.set(shareCatalog(first, createCatalog([service("ratings")])));
  expect(aggregate.conflicts.value).toEqual([]);
  expect(aggregate.catalog.value).toBe(before);
  aggregate.close();
  b.catalog.set(createCatalog([]));
  expect(aggregate.catalog.value).toBe(before);
});
