import { expect, test } from "vitest";
import { createSignal } from "../../src/base/signal.ts";
import type { HeldRule, World } from "../../src/compile/world.ts";
import { emptyRuleSet, type RuleSet } from "../../src/config/rule-set.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { defaultMeshSettings } from "../../src/model/mesh-settings.ts";
import { createWorldFeed } from "../../src/snapshot/world-feed.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { service } from "../support/mesh.ts";

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

test("the first change after a quiet time is a world at once; a burst is one more", () => {
  const { clock, catalog, rules, worlds } = setUp();
  clock.advance(1000);
  catalog.set(createCatalog([service("reviews")]));
  expect(worlds).toHaveLength(1);
  for (let revision = 1; revision <= 20; revision++) {
    rules.set({ ...emptyRuleSet, revision });
    clock.advance(5);
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
