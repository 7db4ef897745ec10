import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import type { HeldRule, World } from "../../src/compile/world.ts";
import { openFileStore } from "../../src/config/file-store.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { aggregateRegistries } from "../../src/registry/aggregate.ts";
import type { RegistryHealth, RegistrySource } from "../../src/registry/source.ts";
import { holdLastGood } from "../../src/registry/wrap.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createWorldFeed } from "../../src/snapshot/world-feed.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { instance, service, sidecar } from "../support/mesh.ts";

function setUp() {
  const clock = createFakeClock();
  const catalog = createSignal<Catalog | undefined>(undefined);
  const rules = createSignal<RuleSet>(emptyRuleSet);
  const holds = createSignal<readonly HeldRule[]>([]);
  const feed = createWorldFeed({ catalog, rules, holds, mesh: defaultMeshSettings, clock });
  const worlds: (World | undefined)[] = [];
  feed.world.subscribe((world) => worlds.push(world));
  return { clock, catalog, rules, holds, feed, worlds };
}

test("no world before the registries have reported", () => {
  const { rules, feed, clock } = setUp();
  rules.set({ ...emptyRuleSet, revision: 1 });
  clock.advance(1000);
  expect(feed.world.value).toBeUndefined();
});

test("the first change after a pause is a world at once; a burst is one more", () => {
  const { clock, catalog, rules, worlds } = setUp();
  clock.advance(1000);
  catalog.set(createCatalog([service("reviews")]));
  expect(worlds).toHaveLength(1);
  for (let revision = 1; revision <= 20; revision++) {
    rules.set({ ...emptyRuleSet, revision });
    if (revision % 5 === 0) clock.advance(2);
  }
  clock.advance(100);
  expect(worlds.map((world) => world?.revision)).toEqual([0, 20]);
});

test("worlds share what did not change", () => {
  const { clock, catalog, rules, worlds } = setUp();
  clock.advance(1000);
  catalog.set(createCatalog([service("reviews")]));
  clock.advance(1000);
  rules.set({ ...emptyRuleSet, revision: 1 });
  expect(worlds[1]?.catalog).toBe(worlds[0]?.catalog);
  expect(worlds[1]?.rules).toBe(worlds[0]?.rules);
});

test("closed, it hears nothing more", () => {
  const { clock, catalog, feed, worlds } = setUp();
  feed.close();
  catalog.set(createCatalog([]));
  clock.advance(20_000);
  expect(worlds).toEqual([]);
});

/** A registry that reports what the test sets. */
function registry(name: string) {
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>({ state: "INITIAL", since: 0, problems: [] });
  const source: RegistrySource = { name, catalog, health, close: async () => {} };
  return { source, catalog, health };
}

/** Registries, and everything up to the resources of one sidecar. */
function pipeline(...sources: readonly RegistrySource[]) {
  const clock = createFakeClock();
  const { catalog } = aggregateRegistries(sources);
  const [rules, holds] = [createSignal<RuleSet>(emptyRuleSet), createSignal<readonly HeldRule[]>([])];
  const { world } = createWorldFeed({ ...{ catalog, rules, holds, clock }, mesh: defaultMeshSettings });
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const cache = createResourceCache({ world, compiler: createCompiler(), clock, log, metrics: createMetrics() });
  let pushes = 0;
  const watch = cache.watch(sidecar(), () => pushes++);
  return { clock, watch, pushes: () => pushes };
}

const reviews = createCatalog([service("reviews", [instance("a")])]);
const ratings = createCatalog([service("ratings", [instance("b")])]);

test("nothing is served until the last registry has reported, and then everything at once", () => {
  const [one, two] = [registry("one"), registry("two")];
  const { clock, watch, pushes } = pipeline(one.source, two.source);
  one.catalog.set(reviews);
  clock.advance(60_000);
  expect(watch.current()).toBeUndefined();
  two.catalog.set(ratings);
  clock.advance(100);
  expect(pushes()).toBe(1);
  expect([...(watch.current()?.resources.EDS.keys() ?? [])]).toEqual([
    "outbound|9080||ratings.shop.svc.cluster.local",
    "outbound|9080||reviews.shop.svc.cluster.local",
  ]);
});

test.each(["OUTAGE", "SUSPECT"] as const)("a registry in %s takes nothing away, and the others move on", (state) => {
  const [one, two] = [registry("one"), registry("two")];
  const { clock, watch, pushes } = pipeline(holdLastGood(one.source), holdLastGood(two.source));
  one.catalog.set(reviews);
  two.catalog.set(ratings);
  clock.advance(1000);
  const before = watch.current();
  one.health.set({ state, since: 0, problems: [{ message: "gone" }] });
  one.catalog.set(undefined);
  clock.advance(1000);
  expect(pushes()).toBe(1);
  expect(watch.current()).toBe(before);
  two.catalog.set(createCatalog([service("ratings", [instance("b"), instance("c", { address: "10.0.0.3" })])]));
  clock.advance(1000);
  expect(pushes()).toBe(2);
  const clusters = (set = watch.current()) =>
    [...(set?.resources.CDS.values() ?? [])].map(({ name, version }) => [name, version]);
  expect(clusters()).toEqual(clusters(before));
});

test("the first world has the rules of a directory: the store is open only when they are read", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairway-feed-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const spec = "spec: {host: reviews, trafficPolicy: {loadBalancer: {simple: RANDOM}}}";
  writeFileSync(
    join(folder, "rule.yaml"),
    `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews, namespace: shop}\n${spec}\n`,
  );
  const clock = createFakeClock();
  const log = createLog({ level: "silent", format: "json", write: () => {} });
  const store = await openFileStore({ paths: [folder], log, clock });
  onTestFinished(() => store.close());
  const holds = createSignal<readonly HeldRule[]>([]);
  const catalog = createSignal<Catalog | undefined>(reviews);
  const feed = createWorldFeed({ ...{ catalog, holds, clock }, rules: store.ruleSet, mesh: defaultMeshSettings });
  expect([...(feed.world.value?.rules.keys() ?? [])]).toEqual(["DestinationRule/shop/reviews"]);
});
