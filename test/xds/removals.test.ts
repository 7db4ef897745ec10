import { describe, expect, test } from "vitest";
import { type Versions, wireSet } from "../support/wire-resources.ts";
import { type DeltaDriver, SotwDriver } from "./driver.ts";
import { askForEndpoints, connected, moved, old, types } from "./working-proxy.ts";

/* What is gone goes last: when its users have left it, and a grace time is over. */

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  const connect = (first?: Versions): DeltaDriver | SotwDriver => connected(variant, first);

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

  test("ORD-02 while there is no room for the new routes, no grace time begins", () => {
    const proxy = connect();
    proxy.event({ on: "room", room: false });
    proxy.set(wireSet({ ...old, CDS: {}, EDS: {}, RDS: { r: "2" } }));
    expect([...proxy.timers]).toEqual([]);
    proxy.event({ on: "room", room: true });
    proxy.ack("RDS");
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
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
});
