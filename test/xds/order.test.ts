import { describe, expect, test } from "vitest";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import { type Versions, wireResource, wireSet } from "../support/wire-resources.ts";
import { type DeltaDriver, SotwDriver } from "./driver.ts";
import { askForEndpoints, connected, moved, newProxy, old, types } from "./working-proxy.ts";

/* What is new and changed goes out in the order of the table of types, each when what it uses is in place. */

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

  test("ORD-01 a listener that goes waits for what comes with it", () => {
    const proxy = connect({ ...old, LDS: { l: "1", m: "1" } });
    proxy.set(wireSet({ ...moved, LDS: { l: "1" }, RDS: { r: "1" } }));
    expect(types(proxy)).toEqual(["CDS"]);
    proxy.ack("CDS");
    askForEndpoints(proxy, ["c2"], ["c1", "c2"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["EDS c2=1", proxy instanceof SotwDriver ? "LDS l=1" : "LDS -m"]);
  });

  test("ORD-01 a changed cluster goes out beside one that stays as it is and one that is kept for its users", () => {
    const proxy = connect({ ...old, CDS: { c1: "1", c2: "1", c3: "1" } });
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "2" }, RDS: { r: "2" } }));
    expect(proxy.sent()).toEqual([proxy instanceof SotwDriver ? "CDS c1=1 c2=2 c3=1" : "CDS c2=2"]);
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
