import { describe, expect, test } from "vitest";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { type Versions, wireResource, wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";

const old: Versions = { CDS: { c1: "1" }, EDS: { c1: "1" }, LDS: { l: "1" }, RDS: { r: "1" } };

type Variant = "sotw" | "delta";

const newProxy = (variant: Variant): DeltaDriver | SotwDriver =>
  variant === "sotw" ? new SotwDriver() : new DeltaDriver();

/** A proxy like Envoy that has taken a first set. */
function connected(variant: Variant, first: Versions = old): DeltaDriver | SotwDriver {
  const proxy = newProxy(variant);
  proxy.set(wireSet(first));
  proxy.ask("CDS", []);
  proxy.ask("EDS", Object.keys(first.EDS ?? {}));
  proxy.ask("LDS", []);
  proxy.ask("RDS", Object.keys(first.RDS ?? {}));
  for (const { type } of proxy.responses()) proxy.ack(type.short);
  expect(proxy.sent()).toEqual([]);
  expect([...proxy.timers]).toEqual([]);
  return proxy;
}

/** Subscribes to more endpoints, as a proxy does that has got new clusters. */
const askForEndpoints = (proxy: DeltaDriver | SotwDriver, names: readonly string[], all: readonly string[]): void =>
  proxy instanceof SotwDriver
    ? proxy.ask("EDS", all, { nonce: proxy.nonce("EDS") })
    : proxy.ask("EDS", names, {}, { nonce: proxy.nonce("EDS") });

const types = (proxy: DeltaDriver | SotwDriver): readonly TypeName[] => proxy.responses().map(({ type }) => type.short);

const moved: Versions = {
  CDS: { c1: "1", c2: "1" },
  EDS: { c1: "1", c2: "1" },
  LDS: { l: "2" },
  RDS: { r: "2" },
};

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  const connect = (first?: Versions): DeltaDriver | SotwDriver => connected(variant, first);

  test("ORD-01 clusters, endpoints, listeners, routes: each when the one before is in place", () => {
    const proxy = connect();
    proxy.set(wireSet(moved));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    expect(types(proxy)).toEqual([]);
    askForEndpoints(proxy, ["c2"], ["c1", "c2"]);
    expect(proxy.sent()).toEqual(["EDS c2=1"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["LDS l=2"]);
    proxy.ack("LDS");
    expect(proxy.sent()).toEqual(["RDS r=2"]);
    proxy.ack("RDS");
    expect([...proxy.timers]).toEqual([]);
  });

  test("ORD-02 a cluster goes when the routes without it are confirmed, and a grace time is over", () => {
    const proxy = connect();
    const target = { ...moved, CDS: { c2: "1" }, EDS: { c2: "1" }, LDS: { l: "1" } };
    proxy.set(wireSet(target));
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS c1=1 c2=1" : "CDS c2=1"]);
    proxy.ack("CDS");
    askForEndpoints(proxy, ["c2"], ["c1", "c2"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["EDS c2=1", "RDS r=2"]);
    expect([...proxy.timers]).toEqual(["ack/RDS"]);
    proxy.ack("RDS");
    expect(proxy.sent()).toEqual([]);
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS c2=1" : "CDS -c1"]);
    proxy.ack("CDS");
    expect([...proxy.timers]).toEqual(["grace/EDS"]);
    proxy.fire("grace/EDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "EDS c1=absent" : "EDS -c1"]);
  });

  test("ORD-02 a proxy that unsubscribes from endpoints of the removed cluster hears no more of them", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {} }));
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS" : "CDS -c1"]);
    proxy.ack("CDS");
    if (proxy instanceof SotwDriver) proxy.ask("EDS", []);
    else proxy.ask("EDS", ["-c1"]);
    proxy.fire("grace/EDS");
    expect(proxy.sent()).toEqual([]);
  });

  test("ORD-02 without the ACK of the routes, the cluster stays until the wait runs out", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "2" } }));
    expect(types(proxy)).toEqual(["RDS"]);
    expect([...proxy.timers]).toEqual(["ack/RDS"]);
    proxy.fire("ack/RDS");
    proxy.fire("grace/CDS");
    expect(types(proxy)).toEqual(["CDS"]);
  });

  test("ORD-02 a proxy that refused the new routes keeps the clusters of the old ones", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "2" } }));
    proxy.nack("RDS");
    expect(types(proxy)).toEqual(["RDS"]);
    expect([...proxy.timers]).toEqual([]);
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "3" } }));
    proxy.ack("RDS");
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
  });

  test("ORD-02 a cluster that comes back during its grace time stays; when it goes again it waits anew", () => {
    const proxy = connect();
    const without = wireSet({ ...old, CDS: {}, EDS: {} });
    proxy.set(without);
    proxy.set(wireSet({ ...old, RDS: { r: "2" } }));
    proxy.ack("RDS");
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "3" } }));
    expect(proxy.sent()).toEqual(["RDS r=2", "RDS r=3"]);
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([]);
    proxy.ack("RDS");
    proxy.fire("grace/CDS");
    expect(types(proxy)).toEqual(["CDS"]);
  });

  test("a listener goes together with the one that takes its place", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, LDS: { m: "1" } }));
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "LDS m=1" : "LDS m=1 -l"]);
  });

  test("a listener that is replaced in a rollout stays until its place is taken", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, LDS: { m: "1" } }));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "LDS m=1" : "LDS m=1 -l"]);
  });

  test("ORD-03 endpoint changes pass a rollout that is waiting", () => {
    const proxy = connect();
    proxy.set(wireSet(moved));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.set(wireSet({ ...moved, EDS: { c1: "2", c2: "1" } }));
    expect(proxy.sent()).toEqual(["EDS c1=2"]);
  });

  test("ORD-04 endpoints follow their changed cluster, changed or not; others do not", () => {
    const world = { CDS: { a: "1", b: "1" }, EDS: { a: "1", b: "1" } };
    const proxy = connect(world);
    proxy.set(wireSet({ ...world, CDS: { a: "2", b: "1" } }));
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS a=2 b=1" : "CDS a=2", "EDS a=1"]);
  });

  test("ORD-04 what a changed cluster names of another type brings no endpoints", () => {
    const cluster = (version: string): Resource => ({
      ...wireResource("CDS", "a", version),
      references: [{ type: "SDS", name: "a" }],
    });
    const world = (version: string) => createResourceSet([cluster(version), wireResource("EDS", "a", "1")]);
    const proxy = newProxy(variant);
    proxy.set(world("1"));
    proxy.ask("CDS", []);
    proxy.ask("EDS", ["a"]);
    for (const { type } of proxy.responses()) proxy.ack(type.short);
    proxy.set(world("2"));
    expect(proxy.sent()).toEqual(["CDS a=2"]);
  });

  test("ORD-06 endpoints do not overtake their cluster", () => {
    const world = { CDS: { a: "1", b: "1" }, EDS: { a: "1", b: "1" } };
    const proxy = connect(world);
    proxy.set(wireSet({ CDS: { a: "2", b: "1" }, EDS: { a: "2", b: "1" } }));
    expect(types(proxy)).toEqual(["CDS", "EDS"]);
    proxy.ack("EDS");
    proxy.set(wireSet({ CDS: { a: "3", b: "1" }, EDS: { a: "3", b: "2" } }));
    expect(proxy.sent()).toEqual(["EDS b=2"]);
    proxy.ack("EDS");
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS a=3 b=1" : "CDS a=3", "EDS a=3"]);
  });

  test("ORD-06 first answers wait for nothing", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("RDS", ["r"]);
    proxy.ask("EDS", ["c1"]);
    proxy.ask("LDS", []);
    expect(proxy.sent()).toEqual(["RDS r=1", "EDS c1=1", "LDS l=1"]);
    proxy.ack("EDS");
    proxy.ask("CDS", []);
    expect(proxy.sent()).toEqual(["CDS c1=1", "EDS c1=1"]);
  });

  test("ORD-06 a new name asked for in the middle of a rollout waits for it, and is not denied", () => {
    const proxy = connect();
    const target = { ...moved, RDS: { r: "1", new: "1" } };
    proxy.set(wireSet(target));
    if (proxy instanceof SotwDriver) proxy.ask("RDS", ["r", "new"]);
    else proxy.ask("RDS", ["new"]);
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    askForEndpoints(proxy, ["c2"], ["c1", "c2"]);
    proxy.ack("EDS");
    proxy.ack("LDS");
    expect(proxy.sent()).toEqual(["EDS c2=1", "LDS l=2", "RDS new=1"]);
  });

  test("ORD-06 a first request in the middle of a rollout is not told that what is about to come does not exist", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet({ CDS: { c1: "1" } }));
    proxy.ask("CDS", []);
    proxy.set(wireSet({ CDS: { c1: "1", c2: "1" }, LDS: { m: "1" } }));
    proxy.ask("LDS", ["m"]);
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    proxy.ack("CDS");
    expect(types(proxy)).toEqual(["CDS", "LDS"]);
    expect(proxy.state.types.LDS.held.has("m")).toBe(true);
  });

  test("ORD-06 a second listener asked for in the middle of a rollout waits for it, and is not denied", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("CDS", []);
    proxy.ask("LDS", ["l"]);
    for (const { type } of proxy.responses()) proxy.ack(type.short);
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, LDS: { l: "1", m: "1" } }));
    if (proxy instanceof SotwDriver) proxy.ask("LDS", ["l", "m"]);
    else proxy.ask("LDS", ["m"]);
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "LDS l=1 m=1" : "LDS m=1"]);
  });

  test("ORD-06 what was awaited and is gone before it came is said not to exist", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...moved, LDS: { l: "1" }, RDS: { r: "1", x: "1" } }));
    if (proxy instanceof SotwDriver) proxy.ask("RDS", ["r", "x"]);
    else proxy.ask("RDS", ["x"]);
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.set(wireSet({ ...moved, LDS: { l: "1" }, RDS: { r: "1" } }));
    expect(proxy.sent()).toEqual(proxy instanceof SotwDriver ? [] : ["RDS -x"]);
  });

  test("ORD-06 what went and comes back with a rollout is not taken away in between", () => {
    const proxy = connect({ CDS: { c1: "1" }, LDS: { l: "1", m: "1" } });
    proxy.set(wireSet({ CDS: { c1: "1" }, LDS: { l: "1", m: "2" } }));
    proxy.set(wireSet({ CDS: { c1: "1" }, LDS: { m: "3" } }));
    proxy.set(wireSet({ CDS: { c1: "1", c2: "1" }, LDS: { l: "2", m: "3" } }));
    expect(types(proxy)).toEqual(["LDS", "CDS"]);
    proxy.ack("LDS");
    expect(proxy.sent()).toEqual(proxy instanceof SotwDriver ? [] : ["LDS m=3"]);
    proxy.ack("LDS");
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "LDS l=2 m=3" : "LDS l=2"]);
  });

  test("ORD-06 what is gone is said at once, what comes back with a rollout is not", () => {
    const proxy = connect({ CDS: { c1: "1" }, LDS: { k: "1", l: "1", m: "1" } });
    proxy.set(wireSet({ CDS: { c1: "1" }, LDS: { k: "1", l: "1", m: "2" } }));
    proxy.set(wireSet({ CDS: { c1: "1" }, LDS: { m: "3" } }));
    proxy.set(wireSet({ CDS: { c1: "1", c2: "1" }, LDS: { l: "2", m: "3" } }));
    expect(types(proxy)).toEqual(["LDS", "CDS"]);
    proxy.ack("LDS");
    expect(proxy.sent()).toEqual(proxy instanceof SotwDriver ? [] : ["LDS m=3 -k"]);
  });

  test("ORD-06 of two routes asked for in the middle of a rollout, the one that does not exist is answered", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...moved, LDS: { l: "1" }, RDS: { r: "1", x: "1" } }));
    if (proxy instanceof SotwDriver) proxy.ask("RDS", ["r", "x", "none"]);
    else proxy.ask("RDS", ["x", "none"]);
    expect(proxy.sent().slice(1)).toEqual(proxy instanceof SotwDriver ? [] : ["RDS -none"]);
  });

  test("ORD-01 routes wait for listeners without clusters being asked for", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("LDS", []);
    proxy.ask("RDS", ["r"]);
    for (const { type } of proxy.responses()) proxy.ack(type.short);
    proxy.set(wireSet({ ...old, LDS: { l: "2" }, RDS: { r: "2" } }));
    expect(types(proxy)).toEqual(["LDS"]);
    proxy.ack("LDS");
    expect(types(proxy)).toEqual(["RDS"]);
  });

  test("ORD-01 routes alone wait for nothing", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("RDS", ["r"]);
    proxy.ack("RDS");
    proxy.sent();
    proxy.set(wireSet(moved));
    expect(proxy.sent()).toEqual(["RDS r=2"]);
    expect([...proxy.timers]).toEqual(["ack/RDS"]);
  });

  test("ORD-02 while there is no room for the new routes, no grace time begins", () => {
    const proxy = connect();
    proxy.event({ on: "room", room: false });
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "2" } }));
    expect([...proxy.timers]).toEqual([]);
    proxy.event({ on: "room", room: true });
    proxy.ack("RDS");
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
  });

  test("a timer that comes before there is a world does nothing", () => {
    const proxy = newProxy(variant);
    proxy.ask("CDS", []);
    for (const timer of ["gate", "grace/CDS", "ack/CDS"] as const) proxy.event({ on: "timer", timer });
    proxy.set(wireSet(old));
    expect([proxy.sent(), proxy.effects()]).toEqual([["CDS c1=1"], []]);
  });

  test("a timer that comes too late does nothing", () => {
    const proxy = connect();
    proxy.event({ on: "timer", timer: "grace/CDS" });
    proxy.event({ on: "timer", timer: "ack/CDS" });
    proxy.event({ on: "timer", timer: "gate" });
    proxy.event({ on: "timer", timer: "world" });
    expect([proxy.sent(), proxy.effects().filter((effect) => effect.do !== "accepted"), [...proxy.timers]]).toEqual([
      [],
      [],
      [],
    ]);
  });

  test("ORD-06 endpoints alone are sent without clusters", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("EDS", ["c1"]);
    proxy.ack("EDS");
    proxy.set(wireSet({ ...old, EDS: { c1: "2" } }));
    expect(proxy.sent()).toEqual(["EDS c1=1", "EDS c1=2"]);
  });

  test("ORD-01 routes do not wait for clusters that the proxy does not ask for: it asks when it has the route", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("RDS", ["r"]);
    proxy.ack("RDS");
    proxy.ask("CDS", ["c1"]);
    proxy.ack("CDS");
    proxy.sent();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, RDS: { r: "2" } }));
    expect(proxy.sent()).toEqual(["RDS r=2"]);
  });

  test("ORD-01 an ACK of an older version of a cluster opens no gate", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, RDS: { r: "2" } }));
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "2" }, RDS: { r: "2" } }));
    proxy.ack("CDS");
    expect(types(proxy)).toEqual(["CDS", "CDS"]);
    proxy.ack("CDS");
    expect(types(proxy)).toEqual(["RDS"]);
  });

  test("ORD-01 endpoints that change all the time hold back no listeners", () => {
    const proxy = connect();
    proxy.set(wireSet(moved));
    proxy.ack("CDS");
    askForEndpoints(proxy, ["c2"], ["c1", "c2"]);
    expect(types(proxy)).toEqual(["CDS", "EDS"]);
    proxy.set(wireSet({ ...moved, EDS: { c1: "2", c2: "1" } }));
    proxy.ack("EDS");
    expect(types(proxy)).toEqual(["EDS", "LDS"]);
    proxy.ack("LDS");
    proxy.set(wireSet({ ...moved, EDS: { c1: "3", c2: "1" }, RDS: { r: "3" } }));
    expect(types(proxy)).toEqual(["RDS"]);
  });

  test("ORD-02 what leaves later waits for a grace time of its own", () => {
    const world = { CDS: { a: "1", b: "1", z: "1" }, RDS: { r: "1" } };
    const proxy = connect(world);
    proxy.set(wireSet({ ...world, CDS: { b: "1", z: "1" } }));
    proxy.set(wireSet({ ...world, CDS: { z: "1" } }));
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS b=1 z=1" : "CDS -a"]);
    proxy.ack("CDS");
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS z=1" : "CDS -b"]);
  });

  test("ORD-02 a refused route that the proxy no longer asks for keeps nothing", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "2" } }));
    proxy.nack("RDS");
    expect([...proxy.timers]).toEqual([]);
    if (proxy instanceof SotwDriver) proxy.ask("RDS", []);
    else proxy.ask("RDS", ["-r"]);
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
  });

  test("ORD-04 endpoints that wait to follow their cluster are not forgotten over new names", () => {
    const world = { CDS: { a: "1", b: "1" }, EDS: { a: "1", b: "1", c: "1" } };
    const proxy = connect({ ...world, EDS: { a: "1", b: "1" } });
    proxy.set(wireSet({ ...world, EDS: { a: "1", b: "2", c: "1" } }));
    proxy.set(wireSet({ ...world, CDS: { a: "2", b: "1" }, EDS: { a: "1", b: "2", c: "1" } }));
    expect(types(proxy)).toEqual(["EDS", "CDS"]);
    if (proxy instanceof SotwDriver) proxy.ask("EDS", ["a", "b", "c"]);
    else proxy.ask("EDS", ["c"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["EDS a=1 c=1"]);
  });

  test("the whole set is in the order of names, also while something old stays in it", () => {
    const proxy = connect({ CDS: { z: "1" }, RDS: { r: "1" } });
    proxy.set(wireSet({ CDS: { a: "1", b: "1" }, RDS: { r: "2" } }));
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS a=1 b=1 z=1" : "CDS a=1 b=1"]);
  });

  test("ORD-08 a refused cluster stops no endpoints, and routes only for a limited time", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c9: "1" }, RDS: { r: "2" } }));
    proxy.nack("CDS");
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c9: "1" }, EDS: { c1: "2" }, RDS: { r: "2" } }));
    expect(proxy.sent()).toEqual(["EDS c1=2"]);
    expect([...proxy.timers].sort()).toEqual(["ack/EDS", "gate"]);
    proxy.fire("gate");
    expect(proxy.sent()).toEqual(["RDS r=2"]);
    proxy.ack("RDS");
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c9: "1" }, EDS: { c1: "2" }, RDS: { r: "3" } }));
    expect(proxy.sent()).toEqual(["RDS r=3"]);
  });

  test("ORD-08 a gate opens at once when the refused cluster is replaced by one that is accepted", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c9: "1" }, RDS: { r: "2" } }));
    proxy.nack("CDS");
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c9: "2" }, RDS: { r: "2" } }));
    expect(types(proxy)).toEqual(["CDS", "CDS"]);
    proxy.ack("CDS");
    expect(types(proxy)).toEqual(["RDS"]);
    expect([...proxy.timers]).toEqual(["ack/RDS"]);
  });

  test("a gate does not wait for what came back to what the proxy already has", () => {
    const proxy = connect();
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" } }));
    proxy.set(wireSet({ ...old, CDS: { c1: "2", c2: "1" } }));
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, RDS: { r: "2" } }));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    expect(types(proxy)).toEqual(["RDS"]);
  });

  test("a peer that takes no bytes is sent no more of them, however long it takes", () => {
    const proxy = connect();
    proxy.reading = false;
    proxy.set(wireSet(moved));
    proxy.set(wireSet({ ...moved, CDS: { c1: "2", c2: "2" } }));
    expect(types(proxy)).toEqual(["CDS"]);
    for (let i = 0; i < 3; i++) proxy.fire("gate");
    expect(types(proxy)).toEqual([]);
    expect([...proxy.timers]).toEqual(["gate"]);
  });

  test("when the gate's time is over, what was kept back still goes in order", () => {
    const proxy = connect();
    proxy.set(wireSet(moved));
    proxy.set(wireSet({ ...moved, CDS: { c1: "1", c2: "1", c3: "1" } }));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.fire("gate");
    expect(types(proxy)).toEqual(["CDS", "LDS", "RDS"]);
  });

  test("the gate's time is not begun again by later changes", () => {
    const proxy = connect();
    proxy.set(wireSet(moved));
    proxy.effects();
    for (let i = 2; i < 5; i++) {
      proxy.set(wireSet({ ...moved, EDS: { c1: String(i), c2: "1" }, RDS: { r: String(i) } }));
      proxy.ack("EDS");
    }
    expect(proxy.started.filter((timer) => timer === "gate")).toEqual(["gate"]);
    expect(proxy.timers.has("gate")).toBe(true);
  });
});
