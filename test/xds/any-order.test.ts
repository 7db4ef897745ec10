import { describe, expect, test } from "vitest";
import { type Versions, wireSet } from "../support/wire-resources.ts";
import { type DeltaDriver, SotwDriver } from "./driver.ts";
import { askForEndpoints, connected, moved, newProxy, old, types } from "./working-proxy.ts";

/* Whatever is asked for first, and in the middle of whatever change. */

describe.each(["sotw", "delta"] as const)("%s", (variant) => {
  const connect = (first?: Versions): DeltaDriver | SotwDriver => connected(variant, first);

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

  test("ORD-06 endpoints alone are sent without clusters", () => {
    const proxy = newProxy(variant);
    proxy.set(wireSet(old));
    proxy.ask("EDS", ["c1"]);
    proxy.ack("EDS");
    proxy.set(wireSet({ ...old, EDS: { c1: "2" } }));
    expect(proxy.sent()).toEqual(["EDS c1=1", "EDS c1=2"]);
  });
});
