import { expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import { OrderedMap } from "../../src/base/ordered-map.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { type Hostname, parseHostname } from "../../src/model/hostname.ts";
import { parseLocality } from "../../src/model/locality.ts";
import { type ServiceKey, serviceKey } from "../../src/model/service.ts";
import type { HeldService } from "../../src/registry/guard/held.ts";
import type { RegistryHealth } from "../../src/registry/source.ts";
import { createRegistryMeter, holdLastGood, named } from "../../src/registry/wrap.ts";

const a = parseHostname("a.x") as Hostname;

const catalogWith = (...ids: string[]): Catalog =>
  createCatalog([
    {
      service: {
        key: serviceKey("shop", a),
        hostname: a,
        namespace: "shop",
        ports: [],
        addresses: [],
        resolution: "instances",
        external: false,
        createdAt: 0,
        origin: { kind: "registry", registry: "inner" },
      },
      instances: ids.map((id) => ({
        id,
        address: "10.0.0.1",
        ports: {},
        labels: {},
        locality: parseLocality(""),
        weight: 1,
        health: "healthy",
        registry: "inner",
      })),
    },
  ]);

function fake() {
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>({ state: "INITIAL", since: 1, problems: [] });
  const closed: string[] = [];
  const source = { name: "inner", catalog, health, close: async () => void closed.push("inner") };
  return { catalog, health, source, closed };
}

test("hold last good: a catalog never becomes none again", () => {
  const { catalog, source } = fake();
  const wrapped = holdLastGood(source);
  expect(wrapped.catalog.value).toBeUndefined();
  const first = catalogWith("1");
  catalog.set(first);
  catalog.set(undefined);
  expect(wrapped.catalog.value).toBe(first);
});

test("named: the name is everywhere, and identity stays", () => {
  const { catalog, source } = fake();
  const wrapped = named("outer")(source);
  const first = catalogWith("1", "2");
  catalog.set(first);
  expect(wrapped.name).toBe("outer");
  expect(JSON.stringify([...(wrapped.catalog.value?.services.values() ?? [])])).toContain('"registry":"outer"');
  const instances = wrapped.catalog.value?.instances.get(serviceKey("shop", a));
  expect(instances?.map(({ registry }) => registry)).toEqual(["outer", "outer"]);
  catalog.set({ ...first });
  expect(wrapped.catalog.value?.instances.get(serviceKey("shop", a))).toBe(instances);
});

test("metered: sizes, states and problems by registry", async () => {
  const { catalog, health, source } = fake();
  const metrics = createMetrics();
  const meter = createRegistryMeter(metrics);
  const wrapped = meter(source);
  meter({ ...fake().source, name: "other" });
  catalog.set(catalogWith("1", "2"));
  health.set({ state: "OUTAGE", since: 2, problems: [{ message: "Gone." }], asOf: 2_000 });
  const { text } = await metrics.expose();
  const lines = text.split("\n").filter((line) => line.includes('registry="inner"'));
  expect(lines).toEqual([
    'fairway_registry_services{registry="inner"} 1',
    'fairway_registry_instances{registry="inner"} 2',
    'fairway_registry_catalogs_total{registry="inner"} 1',
    'fairway_registry_problems{registry="inner"} 1',
    'fairway_registry_state{registry="inner",state="INITIAL"} 0',
    'fairway_registry_state{registry="inner",state="LIVE"} 0',
    'fairway_registry_state{registry="inner",state="SUSPECT"} 0',
    'fairway_registry_state{registry="inner",state="OUTAGE"} 1',
    'fairway_registry_held_instances{registry="inner"} 0',
    'fairway_registry_on_hold{registry="inner"} 0',
    'fairway_registry_catalog_timestamp_seconds{registry="inner"} 2',
  ]);
  const withheld = { services: OrderedMap.of<ServiceKey, HeldService>(), instances: 7 };
  health.set({ state: "SUSPECT", since: 3, problems: [], withheld, hold: { by: "anna", since: 3 } });
  const after = (await metrics.expose()).text.split("\n").filter((line) => line.includes('registry="inner"'));
  expect(after.slice(8)).toEqual([
    'fairway_registry_held_instances{registry="inner"} 7',
    'fairway_registry_on_hold{registry="inner"} 1',
  ]);
  expect(wrapped.catalog).toBe(catalog);
});

test("closing goes through all layers, and ends their listening", async () => {
  const { catalog, source, closed } = fake();
  const wrapped = createRegistryMeter(createMetrics())(named("outer")(holdLastGood(source)));
  await wrapped.close();
  expect(closed).toEqual(["inner"]);
  catalog.set(catalogWith("1"));
  expect(wrapped.catalog.value).toBeUndefined();
});
