import { expect, test } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createSignal } from "../../src/base/signal.ts";
import { type Catalog, createCatalog } from "../../src/model/catalog.ts";
import { guardRegistry, type LastGood } from "../../src/registry/guard/guarded.ts";
import type { RegistryHealth } from "../../src/registry/source.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { instance, service } from "../support/mesh.ts";

const catalogOf = (...ids: readonly string[]): Catalog =>
  createCatalog([
    service(
      "a",
      ids.map((id) => instance(id, { address: `10.0.0.${id}` })),
    ),
  ]);

const startMs = Date.parse("2026-11-23T08:00:00Z");

function lab(
  start: { readonly catalog?: Catalog; readonly health?: Partial<RegistryHealth>; readonly lastGood?: LastGood } = {},
) {
  const clock = createFakeClock(startMs);
  const catalog = createSignal<Catalog | undefined>(start.catalog);
  const state = start.catalog === undefined ? "INITIAL" : "LIVE";
  const health = createSignal<RegistryHealth>({ state, since: startMs, problems: [], ...start.health });
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    write: (line) => {
      const { msg, level: _level, time: _time, ...fields } = JSON.parse(line);
      lines.push(`${msg} ${JSON.stringify(fields)}`);
    },
  });
  const registry = guardRegistry(
    { name: "kubernetes", catalog, health, close: async () => {} },
    {
      policy: { holdMs: 60_000, maxShrink: 0.3, isTrusted: () => false },
      clock,
      log,
      ...(start.lastGood && { lastGood: start.lastGood }),
    },
  );
  return {
    clock,
    registry,
    lines,
    report: catalog.set,
    become: (next: RegistryHealth["state"], problems: RegistryHealth["problems"] = []) =>
      health.set({ state: next, since: clock.now(), problems }),
    ids: () => [...(registry.catalog.value?.instances.values() ?? [])].flat().map(({ id }) => id),
    state: () => registry.health.value.state,
  };
}

test("a service that is empty all of a sudden: suspect, announced, and gone after a while", () => {
  const { clock, registry, lines, report, ids, state } = lab({ catalog: catalogOf("1", "2") });
  expect(registry.health.value).toEqual({ state: "LIVE", since: startMs, problems: [] });
  clock.advance(1_000);
  report(catalogOf());
  expect(ids()).toEqual(["1", "2"]);
  expect(registry.health.value).toMatchObject({
    state: "SUSPECT",
    since: startMs + 1_000,
    withheld: { instances: 2, until: startMs + 61_000 },
    problems: [
      {
        kind: "held",
        message:
          "Lost too suddenly to be believed, and served as before until 2026-11-23T08:01:01.000Z: 2 instances of a.shop.svc.cluster.local.",
        hint: "`fairway registries release kubernetes` makes the report count now, `fairway registries hold kubernetes` keeps what there was.",
      },
    ],
  });
  expect(lines).toEqual([
    'more is gone at once than is believed; that is held {"registry":"kubernetes","services":1,"instances":2,"first":["a.shop.svc.cluster.local (emptied)"]}',
  ]);
  clock.advance(60_000);
  expect([ids(), state(), clock.pending()]).toEqual([[], "LIVE", 0]);
  expect(registry.health.value).toEqual({ state: "LIVE", since: startMs, problems: [] });
  expect(lines.slice(1)).toEqual([
    'what was held was not reported again in time, and is gone {"registry":"kubernetes"}',
  ]);
});

test("what comes back ends it", () => {
  const { report, registry, state, lines, clock } = lab({ catalog: catalogOf("1", "2") });
  report(catalogOf());
  const back = catalogOf("2", "3");
  report(back);
  expect([state(), registry.catalog.value, clock.pending()]).toEqual(["LIVE", back, 0]);
  expect(lines.at(-1)).toContain("what was held is reported again");
});

test("while the registry is away nothing goes; when it is back, the time begins anew", () => {
  const { clock, registry, report, become, ids, state } = lab({ catalog: catalogOf("1", "2") });
  report(catalogOf());
  clock.advance(50_000);
  become("OUTAGE", [{ message: "No contact." }]);
  expect(registry.health.value).toMatchObject({ state: "OUTAGE", asOf: startMs + 50_000 });
  expect(registry.health.value.withheld).not.toHaveProperty("until");
  expect(registry.health.value.problems[1]?.message).toContain("as before for a while after it is back:");
  clock.advance(3_600_000);
  expect(ids()).toEqual(["1", "2"]);
  become("LIVE");
  expect(state()).toBe("SUSPECT");
  clock.advance(59_999);
  expect(ids()).toEqual(["1", "2"]);
  clock.advance(1);
  expect([ids(), state()]).toEqual([[], "LIVE"]);
});

test("a release ends it, a hold has no end; a second one changes nothing", () => {
  const { clock, registry, report, ids, state } = lab({ catalog: catalogOf("1", "2") });
  report(catalogOf("1"));
  registry.hold("anna");
  expect(registry.health.value).toMatchObject({ state: "LIVE", hold: { by: "anna", since: startMs } });
  clock.advance(1_000);
  registry.hold("bob");
  report(catalogOf("3"));
  expect(registry.health.value).toMatchObject({ state: "SUSPECT", hold: { by: "anna", since: startMs } });
  clock.advance(3_600_000);
  expect(ids()).toEqual(["1", "3"]);
  expect(registry.health.value.problems[0]?.message).toContain("as before until it is released:");
  registry.release();
  expect([ids(), state(), registry.health.value.hold]).toEqual([["3"], "LIVE", undefined]);
});

test("a hold of a registry that has not reported yet counts from its first report on", () => {
  const { registry, report, become, ids } = lab();
  registry.hold("anna");
  expect(registry.catalog.value).toBeUndefined();
  report(catalogOf("1", "2"));
  become("LIVE");
  report(catalogOf("2"));
  expect(ids()).toEqual(["1", "2"]);
});

const saved = (hold?: LastGood["hold"]): LastGood => ({
  catalog: catalogOf("1", "2"),
  savedAt: startMs - 3_600_000,
  ...(hold && { hold }),
});

test("a silent start: for a moment nothing, then what was saved, as of when it was; a report takes its place", () => {
  const { clock, registry, report, become, ids, lines } = lab({ lastGood: saved() });
  clock.advance(4_999);
  expect(registry.catalog.value).toBeUndefined();
  expect(registry.health.value.state).toBe("INITIAL");
  clock.advance(1);
  expect(ids()).toEqual(["1", "2"]);
  expect(registry.health.value).toMatchObject({
    state: "OUTAGE",
    since: startMs + 5_000,
    asOf: startMs - 3_600_000,
    problems: [
      {
        kind: "outdated",
        message: "It has not reported since Fairway started; what is served is of 2026-11-23T07:00:00.000Z.",
      },
    ],
  });
  expect(lines).toHaveLength(1);
  report(catalogOf("2", "3"));
  become("LIVE");
  expect([ids(), registry.health.value]).toEqual([["2", "3"], { state: "LIVE", since: startMs + 5_000, problems: [] }]);
});

test.each([
  ["OUTAGE", []],
  ["INITIAL", [{ message: "The file is broken." }]],
] as const)("a start in trouble (%s): what was saved, at once, and why", (state, problems) => {
  const { registry, ids, become } = lab({ lastGood: saved() });
  become(state, problems);
  expect(ids()).toEqual(["1", "2"]);
  expect(registry.health.value.state).toBe("OUTAGE");
  expect(registry.health.value.problems.map(({ message }) => message)).toEqual([
    ...problems.map(({ message }) => message),
    expect.stringContaining("has not reported since Fairway started"),
  ]);
});

test("a restart is no way around the guard", () => {
  const { clock, report, become, ids, state } = lab({ lastGood: saved() });
  report(catalogOf());
  become("LIVE");
  expect([ids(), state()]).toEqual([["1", "2"], "SUSPECT"]);
  clock.advance(60_000);
  expect([ids(), state()]).toEqual([[], "LIVE"]);
});

test("nor an end of a hold", () => {
  const { clock, registry, report, become, ids } = lab({ lastGood: saved({ by: "anna", since: 7 }) });
  report(catalogOf("2"));
  become("LIVE");
  clock.advance(3_600_000);
  expect(ids()).toEqual(["1", "2"]);
  expect(registry.health.value).toMatchObject({ state: "SUSPECT", hold: { by: "anna", since: 7 } });
});

test("nothing happens any more after it is closed", async () => {
  const { clock, registry, report, ids } = lab({ catalog: catalogOf("1"), lastGood: saved() });
  report(catalogOf());
  await registry.close();
  expect(clock.pending()).toBe(0);
  report(catalogOf("9"));
  expect(ids()).not.toContain("9");
});
