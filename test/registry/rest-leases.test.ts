import { describe, expect, test } from "vitest";
import { createRestLab, host, ports, rowCount } from "./rest-lab.ts";

const body = { address: "10.0.0.1" };
const leased = { ...body, ttl: "10s" };

describe("heartbeats", () => {
  test.each<[string, readonly number[], number, string | undefined]>([
    ["none, just before the ttl", [], 9_999, "healthy"],
    ["none, at the ttl", [], 10_000, "unhealthy"],
    ["none, just before three ttls", [], 29_999, "unhealthy"],
    ["none, at three ttls", [], 30_000, undefined],
    ["in time", [9_999, 19_998], 29_997, "healthy"],
    ["late, which heals", [25_000], 25_000, "healthy"],
    ["late, then none for a ttl", [25_000], 35_000, "unhealthy"],
    ["late, then none for three", [25_000], 55_000, undefined],
    ["after the removal", [31_000], 31_000, undefined],
  ])("%s", async (_what, heartbeatsAt, until, health) => {
    const { api, clock, healths } = await createRestLab();
    const start = clock.now();
    await api.putInstance(host, "a", leased, "ci");
    for (const at of heartbeatsAt) {
      clock.advance(start + at - clock.now());
      api.heartbeat(host, "a", {});
    }
    clock.advance(start + until - clock.now());
    expect(healths()["a"]).toBe(health);
    expect(api.instance(host, "a")?.health).toBe(health);
  });

  test("the answer says how the lease stands", async () => {
    const { api, clock } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    clock.advance(12_000);
    const missedAt = clock.now() - 12_000;
    expect(api.instance(host, "a")?.lease).toEqual({
      ttlMs: 10_000,
      expiresAt: missedAt + 10_000,
      removedAt: missedAt + 30_000,
      state: "missed",
    });
    expect(api.heartbeat(host, "a", undefined)).toMatchObject({
      kind: "done",
      value: { health: "healthy", lease: { state: "live", expiresAt: clock.now() + 10_000 } },
    });
  });

  test("an instance without a ttl stays", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    clock.advance(100 * 24 * 3_600_000);
    expect(healths()).toEqual({ a: "healthy" });
    expect(api.heartbeat(host, "a", {})).toMatchObject({ kind: "done" });
  });

  test.each<[string, number | undefined, number | undefined, object]>([
    ["of the known generation", 2, 2, { kind: "done" }],
    ["of an older one", 2, 1, { kind: "stale", id: "a", generation: 2 }],
    ["of a later one, whose registration never came", 2, 3, { kind: "not-found", what: "instance" }],
    ["of none", 2, undefined, { kind: "done" }],
    ["where none is known", undefined, 5, { kind: "done" }],
  ])("%s", async (_what, known, told, expected) => {
    const { api } = await createRestLab();
    await api.putInstance(host, "a", { ...leased, ...(known !== undefined && { generation: known }) }, "ci");
    expect(api.heartbeat(host, "a", told === undefined ? {} : { generation: told })).toMatchObject(expected);
  });

  test("a wrong body", async () => {
    const { api } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    expect(api.heartbeat(host, "a", { generation: "1" })).toMatchObject({ kind: "invalid" });
  });

  test("a late registration of an older generation changes nothing; a later one counts", async () => {
    const { api, registry } = await createRestLab();
    await api.putInstance(host, "a", { ...leased, generation: 2 }, "ci");
    const before = registry.catalog.value;
    expect(await api.putInstance(host, "a", { address: "10.0.0.9", generation: 1 }, "ci")).toEqual({
      kind: "stale",
      id: "a",
      generation: 2,
    });
    expect(await api.putInstance(host, "a", { ...leased, generation: 3 }, "ci")).toMatchObject({ kind: "done" });
    expect(registry.catalog.value).toBe(before);
    expect(await api.putInstance(host, "a", leased, "ci")).toMatchObject({ value: { generation: 3 } });
  });

  test("a registration heals a missed lease, and a shorter ttl counts at once", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "a", { ...body, ttl: "24h" }, "ci");
    await api.putInstance(host, "a", leased, "ci");
    clock.advance(10_000);
    expect(healths()).toEqual({ a: "unhealthy" });
    await api.putInstance(host, "a", leased, "ci");
    expect(healths()).toEqual({ a: "healthy" });
  });
});

describe("heartbeats of many together", () => {
  test("each is answered for itself", async () => {
    const { api, clock, healths } = await createRestLab();
    const instances = ["a", "b", "c", "d"].map((id) => ({ id, ...leased, generation: 2 }));
    await api.putInstances(host, { instances }, "ci");
    clock.advance(12_000);
    expect(
      api.heartbeats(host, {
        instances: [{ id: "a" }, { id: "b", generation: 2 }, { id: "c", generation: 1 }, { id: "x" }, { id: "a" }],
      }),
    ).toEqual({
      kind: "done",
      created: false,
      value: [
        { id: "a", state: "live" },
        { id: "b", state: "live" },
        { id: "c", state: "stale" },
        { id: "x", state: "not-found" },
        { id: "a", state: "live" },
      ],
    });
    clock.advance(50);
    expect(healths()).toEqual({ a: "healthy", b: "healthy", c: "unhealthy", d: "unhealthy" });
  });

  test.each([
    ["another service", "other", { instances: [] }, { kind: "not-found", what: "service" }],
    ["no host name", "", { instances: [] }, { kind: "not-found", what: "service" }],
    ["no body", host, undefined, { kind: "invalid" }],
    [
      "too many",
      host,
      { instances: Array.from({ length: 1_001 }, () => ({ id: "a" })) },
      { problems: [{ pointer: "/instances" }] },
    ],
  ])("%s", async (_what, name, given, expected) => {
    const { api } = await createRestLab();
    expect(api.heartbeats(name, given)).toMatchObject(expected);
  });
});

test("instances that heal in a row make two catalogs: the first at once, the others together", async () => {
  const { api, registry, clock, healths } = await createRestLab();
  const ids = Array.from({ length: 1_000 }, (_, i) => `i${i}`);
  await api.putInstances(host, { instances: ids.map((id) => ({ id, ...leased })) }, "ci");
  clock.advance(10_000);
  let catalogs = 0;
  registry.catalog.subscribe(() => catalogs++);
  for (const id of ids) api.heartbeat(host, id, {});
  expect(catalogs).toBe(1);
  clock.advance(50);
  expect(catalogs).toBe(2);
  expect(new Set(Object.values(healths()))).toEqual(new Set(["healthy"]));
});

describe("drain", () => {
  test.each<[string, unknown, number]>([
    ["for 5 s when nothing is said", undefined, 5_000],
    ["as long as asked", { for: "1m" }, 60_000],
    ["not at all", { for: "0s" }, 0],
  ])("%s: draining, then gone", async (_what, given, ms) => {
    const { api, clock, db, healths } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    const now = clock.now();
    expect(await api.drain(host, "a", given, "ci")).toMatchObject({
      kind: "done",
      value: { health: "draining", draining: { since: now, until: now + ms } },
    });
    expect(healths()).toEqual({ a: "draining" });
    for (let passed = 0; passed < ms; passed += 5_000) {
      api.heartbeat(host, "a", {});
      expect(healths()).toEqual({ a: "draining" });
      clock.advance(5_000);
    }
    clock.advance(0);
    expect(healths()).toEqual({});
    await api.putService(host, { ports: [...ports, { name: "x", number: 1 }] }, "ci");
    expect(rowCount(db, "registered_instances")).toBe(0);
  });

  test("null is no body", async () => {
    const { api } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    expect(await api.drain(host, "a", null, "ci")).toMatchObject({ kind: "invalid" });
    expect(api.heartbeat(host, "a", null)).toMatchObject({ kind: "invalid" });
  });

  test("a registration ends it", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    await api.drain(host, "a", {}, "ci");
    expect(await api.putInstance(host, "a", body, "ci")).toMatchObject({
      created: false,
      value: { health: "healthy" },
    });
    expect(api.instance(host, "a")).not.toHaveProperty("draining");
    clock.advance(3_600_000);
    expect(healths()).toEqual({ a: "healthy" });
  });

  test("again: the end moves, the beginning stays", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    const since = clock.now();
    await api.drain(host, "a", { for: "1h" }, "ci");
    clock.advance(1_000);
    expect(await api.drain(host, "a", { for: "2s" }, "ci")).toMatchObject({
      value: { draining: { since, until: since + 3_000 } },
    });
    clock.advance(2_000);
    expect(healths()).toEqual({});
  });

  test("a missed lease weighs more, and goes first", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    await api.drain(host, "a", { for: "1h" }, "ci");
    clock.advance(10_000);
    expect(healths()).toEqual({ a: "unhealthy" });
    clock.advance(20_000);
    expect(healths()).toEqual({});
  });

  test.each(["61m", "-1s", "5", 5])("not for %j", async (given) => {
    const { api } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    expect(await api.drain(host, "a", { for: given }, "ci")).toMatchObject({ kind: "invalid" });
  });
});

describe("a restart", () => {
  test("gives every lease a whole new period, also after three ttls of absence", async () => {
    const { api, registry, clock, open, healths } = await createRestLab();
    await api.putInstance(host, "a", { ...leased, generation: 4 }, "ci");
    await api.putInstance(host, "b", leased, "ci");
    clock.advance(9_000);
    const before = api.instance(host, "a");
    await registry.close();
    expect(clock.pending()).toBe(0);
    clock.advance(30_000);
    const again = await open();
    expect(healths(again)).toEqual({ a: "healthy", b: "healthy" });
    const now = clock.now();
    expect(again.registrations.instance(host, "a")).toEqual({
      ...before,
      lease: { ttlMs: 10_000, expiresAt: now + 10_000, removedAt: now + 30_000, state: "live" },
    });
    clock.advance(9_999);
    again.registrations.heartbeat(host, "a", { generation: 4 });
    clock.advance(1);
    expect(healths(again)).toEqual({ a: "healthy", b: "unhealthy" });
  });

  test("goes on with drains", async () => {
    const { api, registry, clock, open, healths } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    await api.putInstance(host, "b", body, "ci");
    await api.drain(host, "a", { for: "10s" }, "ci");
    await api.drain(host, "b", { for: "1m" }, "ci");
    await registry.close();
    clock.advance(11_000);
    const again = await open();
    clock.advance(0);
    expect(healths(again)).toEqual({ b: "draining" });
    clock.advance(49_000);
    expect(healths(again)).toEqual({});
  });
});

describe("a process that stood still", () => {
  test("prolongs every lease by as long, and hears first who sent heartbeats meanwhile", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "dead", leased, "ci");
    await api.putInstance(host, "alive", leased, "ci");
    clock.advance(8_000);
    clock.standStill(60_000);
    clock.advance(0);
    expect(healths()).toEqual({ alive: "healthy", dead: "healthy" });
    api.heartbeat(host, "alive", {});
    clock.advance(1_000);
    expect(healths()).toEqual({ alive: "healthy", dead: "unhealthy" });
  });

  test("a lease goes on from where it was", async () => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "first", { ...body, ttl: "10s" }, "ci");
    await api.putInstance(host, "second", { ...body, ttl: "20s" }, "ci");
    clock.advance(4_000);
    clock.standStill(7_000);
    clock.advance(0);
    api.heartbeat(host, "first", {});
    clock.advance(9_999);
    expect(healths()).toEqual({ first: "healthy", second: "healthy" });
    clock.advance(1);
    expect(healths()).toEqual({ first: "unhealthy", second: "unhealthy" });
  });

  test.each([
    [600, 9_990],
    [600, 0],
    [5_000, 0],
    [400, 100],
  ])("for %d ms, again and again every %d ms: the dead are removed all the same", async (stallMs, betweenMs) => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "dead", leased, "ci");
    for (let passed = 0; passed < 120_000; passed += stallMs + betweenMs) {
      clock.advance(betweenMs);
      clock.standStill(stallMs);
      clock.advance(0);
    }
    expect(healths()).toEqual({});
  });
});

describe("the time of day is set", () => {
  const hour = 3_600_000;

  test.each([-hour, hour, -30 * 24 * hour])("by %d ms: leases and drains end when they would have", async (ms) => {
    const { api, clock, healths } = await createRestLab();
    await api.putInstance(host, "leased", leased, "ci");
    await api.putInstance(host, "drained", body, "ci");
    await api.drain(host, "drained", { for: "20s" }, "ci");
    clock.advance(3_000);
    clock.setForward(ms);
    api.heartbeat(host, "leased", {});
    expect(api.instance(host, "leased")?.lease).toMatchObject({
      expiresAt: clock.now() + 10_000,
      removedAt: clock.now() + 30_000,
    });
    clock.advance(10_000);
    expect(healths()).toEqual({ drained: "draining", leased: "unhealthy" });
    clock.advance(7_000);
    expect(healths()).toEqual({ leased: "unhealthy" });
    clock.advance(13_000);
    expect(healths()).toEqual({});
  });

  test("before a restart: no drain lasts longer than it was asked for", async () => {
    const { api, registry, clock, open, healths } = await createRestLab();
    await api.putInstance(host, "a", body, "ci");
    await api.drain(host, "a", { for: "10s" }, "ci");
    await registry.close();
    clock.setForward(-hour);
    const again = await open();
    clock.advance(9_999);
    expect(healths(again)).toEqual({ a: "draining" });
    clock.advance(1);
    expect(healths(again)).toEqual({});
  });
});

describe("trouble of the database", () => {
  test("refuses what must be written, with its error, and changes nothing", async () => {
    const { api, registry, state } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    const before = registry.catalog.value;
    state.failing = true;
    const full = { code: "store/full", hint: "Make room." };
    await expect(api.putInstance(host, "b", body, "ci")).rejects.toMatchObject(full);
    await expect(api.putService("other", { ports }, "ci")).rejects.toMatchObject(full);
    await expect(api.drain(host, "a", {}, "ci")).rejects.toMatchObject(full);
    await expect(api.deleteInstance(host, "a", "ci")).rejects.toMatchObject(full);
    await expect(api.deleteService(host, "ci", { cascade: true })).rejects.toMatchObject(full);
    expect(registry.catalog.value).toBe(before);
    expect(api.services()).toHaveLength(1);
    expect(registry.health.value).toMatchObject({ state: "OUTAGE", problems: [{ message: "The disk is full." }] });
  });

  test("lets through what needs no write, also beside what does", async () => {
    const { api, clock, state, healths } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    state.failing = true;
    clock.advance(10_000);
    const [b, a, none] = await Promise.allSettled([
      api.putInstance(host, "b", body, "ci"),
      api.putInstance(host, "a", leased, "ci"),
      api.deleteInstance(host, "b", "ci"),
    ]);
    expect(b.status).toBe("rejected");
    expect(a).toMatchObject({ value: { kind: "done", created: false } });
    expect(none).toMatchObject({ value: { kind: "not-found" } });
    expect(healths()).toEqual({ a: "healthy" });
  });

  test("leases lapse all the same; their rows go once the database writes again", async () => {
    const { api, registry, clock, db, state, healths } = await createRestLab({ retryMs: 1_000 });
    await api.putInstances(
      host,
      {
        instances: [
          { id: "a", ...leased },
          { id: "b", ...leased },
        ],
      },
      "ci",
    );
    state.failing = true;
    clock.advance(30_000);
    expect(healths()).toEqual({});
    await Promise.resolve();
    await expect(api.putInstance(host, "b", body, "ci")).rejects.toMatchObject({ code: "store/full" });
    expect(rowCount(db, "registered_instances")).toBe(2);
    state.failing = false;
    await api.putInstance(host, "b", { address: "10.0.0.7" }, "ci");
    expect(rowCount(db, "registered_instances")).toBe(1);
    expect(healths()).toEqual({ b: "healthy" });
    expect(registry.health.value.state).toBe("LIVE");
  });

  test("rows of the lapsed go with the end of the process at the latest", async () => {
    const { api, registry, clock, db, state } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    state.failing = true;
    clock.advance(30_000);
    await new Promise(setImmediate);
    state.failing = false;
    await registry.close();
    expect(rowCount(db, "registered_instances")).toBe(0);
  });

  test("is over once a try succeeds", async () => {
    const { api, registry, clock, db, state } = await createRestLab({ retryMs: 1_000 });
    state.failing = true;
    await expect(api.putInstance(host, "a", body, "ci")).rejects.toMatchObject({ code: "store/full" });
    const tries = state.calls.length;
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
    expect(state.calls.length - tries).toBe(3);
    expect(registry.health.value.state).toBe("OUTAGE");
    state.failing = false;
    clock.advance(30_000);
    await new Promise(setImmediate);
    expect(registry.health.value).toMatchObject({ state: "LIVE", problems: [] });
    expect(rowCount(db, "registered_services")).toBe(1);
  });

  test("an instance that expires while its new registration is written stays", async () => {
    const { api, clock, db, healths } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    clock.advance(29_999);
    const written = api.putInstance(host, "a", { ...leased, weight: 2 }, "ci");
    clock.advance(1);
    expect(healths()).toEqual({});
    expect(await written).toMatchObject({ kind: "done" });
    await new Promise(setImmediate);
    expect(healths()).toEqual({ a: "healthy" });
    expect(rowCount(db, "registered_instances")).toBe(1);
  });

  test("an instance that expires while its drain is written is gone", async () => {
    const { api, clock, db, healths } = await createRestLab();
    await api.putInstance(host, "a", leased, "ci");
    clock.advance(29_999);
    const written = api.drain(host, "a", {}, "ci");
    clock.advance(1);
    await written;
    await new Promise(setImmediate);
    expect(healths()).toEqual({});
    expect(rowCount(db, "registered_instances")).toBe(0);
  });
});

test("a closed registry takes nothing more and has no timers", async () => {
  const { api, registry, clock } = await createRestLab();
  await api.putInstance(host, "a", leased, "ci");
  const late = api.putInstance(host, "b", leased, "ci");
  await registry.close();
  await late;
  await expect(api.putInstance(host, "c", body, "ci")).rejects.toMatchObject({ code: "store/failed" });
  expect(clock.pending()).toBe(0);
});

test("10 000 leases with a heartbeat a second: one timer, no write, no catalog", async () => {
  const { api, registry, clock, state } = await createRestLab();
  const ids = Array.from({ length: 10_000 }, (_, i) => `i${i}`);
  for (let first = 0; first < ids.length; first += 1_000) {
    const instances = ids.slice(first, first + 1_000).map((id) => ({ id, address: "10.0.0.1", ttl: "3s" }));
    await api.putInstances(host, { instances }, "ci");
  }
  const [before, writes] = [registry.catalog.value, state.calls.length];
  let catalogs = 0;
  registry.catalog.subscribe(() => catalogs++);
  const started = performance.now();
  for (let second = 0; second < 10; second++) {
    clock.advance(1_000);
    for (const id of ids) api.heartbeat(host, id, {});
    expect(clock.pending()).toBe(1);
  }
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(registry.catalog.value).toBe(before);
  expect(state.calls.length).toBe(writes);
  clock.advance(3_000);
  expect(catalogs).toBe(1);
  clock.advance(6_000);
  expect(catalogs).toBe(2);
  expect(api.instances(host)).toEqual([]);
});
