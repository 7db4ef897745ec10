import { describe, expect, test } from "vitest";
import { createResourceSet } from "../../src/envoy/resource-set.ts";
import { wireResource, wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";

/* A proxy that comes back while something changes: at work on the old, it is led to the new as in any other change. */

const old = { CDS: { c1: "1" }, EDS: { c1: "1" }, LDS: { l: "1" }, RDS: { r: "1" } };
/** Away from c1, which goes, to c2, which comes. */
const moved = { CDS: { c2: "1" }, EDS: { c2: "1" }, LDS: { l: "1" }, RDS: { r: "2" } };

describe("delta", () => {
  test("the world changed while it was away: new clusters first, the removed one last", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("CDS", ["*"], old.CDS);
    expect(proxy.sent()).toEqual(["CDS c2=1"]);
    proxy.ask("EDS", ["c1"], old.EDS);
    proxy.ask("LDS", ["*"], old.LDS);
    expect(proxy.sent()).toEqual([]);
    proxy.ask("RDS", ["r"], old.RDS);
    expect([proxy.sent(), [...proxy.timers]]).toEqual([[], ["grace/CDS", "ack/CDS", "gate"]]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual([]);
    proxy.ask("EDS", ["c2"]);
    expect(proxy.sent()).toEqual(["EDS c2=1"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["LDS", "RDS r=2"]);
    proxy.ack("LDS");
    expect([...proxy.timers]).toEqual(["grace/CDS", "ack/RDS"]);
    proxy.ack("RDS");
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([]);
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual(["CDS -c1"]);
    proxy.ack("CDS", []);
    proxy.ask("EDS", ["-c1"]);
    proxy.fire("grace/EDS");
    expect([proxy.sent(), [...proxy.timers]]).toEqual([[], []]);
  });

  test("while its listeners and routes are held back, no grace time begins anew", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("CDS", ["*"], old.CDS);
    proxy.ask("LDS", ["*"], old.LDS);
    proxy.ask("RDS", ["r"], old.RDS);
    proxy.fire("grace/CDS");
    expect([proxy.sent(), [...proxy.timers]]).toEqual([["CDS c2=1"], ["ack/CDS", "gate"]]);
  });

  test("clusters are waited for, also those without endpoints", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet({ ...moved, EDS: {} }));
    proxy.ask("CDS", ["*"], old.CDS);
    proxy.ask("RDS", ["r"], old.RDS);
    expect(proxy.sent()).toEqual(["CDS c2=1"]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual(["RDS r=2"]);
  });

  test("what it listed counts once, however often it asks before it is answered", () => {
    const proxy = new DeltaDriver();
    proxy.event({ on: "room", room: false });
    proxy.set(wireSet({ ...moved, EDS: {} }));
    proxy.ask("EDS", ["c1"], old.EDS);
    proxy.fire("grace/EDS");
    proxy.ask("EDS", ["x"]);
    expect([...proxy.timers]).toEqual([]);
    proxy.event({ on: "room", room: true });
    expect(proxy.sent()).toEqual(["EDS -c1 -x"]);
  });

  test("its virtual hosts do not wait for its routes", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet({ RDS: { r: "2" }, VHDS: { "r/a.com": "2" } }));
    proxy.ask("RDS", ["r"], old.RDS);
    proxy.ask("VHDS", ["r/a.com"], { "r/a.com": "1" });
    expect(proxy.sent()).toEqual(["RDS r=2", "VHDS r/a.com=2"]);
  });

  test("endpoints that it lists follow their cluster, though a newer one waits to be sent", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet({ CDS: { c1: "1" }, EDS: { c1: "1" } }));
    proxy.ask("CDS", ["*"]);
    proxy.set(wireSet({ CDS: { c1: "2" }, EDS: { c1: "2" } }));
    expect(proxy.sent()).toEqual(["CDS c1=1"]);
    proxy.ask("EDS", ["c1"], old.EDS);
    expect(proxy.sent()).toEqual(["EDS c1=1"]);
  });

  test("its listeners and routes are asked for late: the grace time begins anew", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("CDS", ["*"], { ...old.CDS, ...moved.CDS });
    expect(proxy.sent()).toEqual(["CDS"]);
    proxy.ack("CDS");
    expect([...proxy.timers]).toEqual(["grace/CDS"]);
    proxy.ask("RDS", ["r"], old.RDS);
    expect(proxy.sent()).toEqual(["RDS r=2"]);
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual([]);
    proxy.ack("RDS");
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual(["CDS -c1"]);
  });

  test("in the middle of a change, and before there is a world: its endpoints are sent again all the same", () => {
    const proxy = new DeltaDriver();
    proxy.ask("EDS", ["c1"], old.EDS);
    proxy.set(wireSet(old));
    expect(proxy.sent()).toEqual(["EDS c1=1"]);
  });

  test("in the middle of a change of clusters: its routes wait for it to ask for clusters, and not for ever", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(old));
    proxy.ask("EDS", ["c1"], old.EDS);
    proxy.ask("RDS", ["r"], { r: "0" });
    proxy.ack("EDS");
    expect([proxy.sent(), [...proxy.timers]]).toEqual([["EDS c1=1"], ["gate"]]);
    proxy.fire("gate");
    expect([proxy.sent(), [...proxy.timers]]).toEqual([["RDS r=1"], ["ack/RDS"]]);
  });

  test("before there is a world: what it listed counts all the same", () => {
    const proxy = new DeltaDriver();
    proxy.ask("CDS", ["*"], old.CDS);
    proxy.ask("RDS", ["r"], old.RDS);
    proxy.set(wireSet(moved));
    expect(proxy.sent()).toEqual(["CDS c2=1"]);
    proxy.ack("CDS");
    proxy.ask("EDS", ["c2"]);
    expect(proxy.sent()).toEqual(["EDS c2=1"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["RDS r=2"]);
  });

  test("it lost its stream between a cluster and its endpoints: routes wait until it has asked for clusters again", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("EDS", ["c1", "c2"], old.EDS);
    proxy.ask("LDS", ["*"], old.LDS);
    proxy.ask("RDS", ["r"], old.RDS);
    expect(proxy.sent()).toEqual(["EDS c2=1"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual([]);
    proxy.ask("CDS", ["*"], { ...old.CDS, ...moved.CDS });
    expect(proxy.sent()).toEqual(["CDS", "LDS", "RDS r=2"]);
  });

  test("what it listed comes back in that version: its endpoints are answered", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(old));
    proxy.ask("CDS", ["*"], { ...old.CDS, ...moved.CDS });
    proxy.ask("EDS", ["c1", "c2"], { ...old.EDS, ...moved.EDS });
    expect(proxy.sent()).toEqual(["CDS"]);
    proxy.ack("CDS");
    proxy.fire("grace/CDS");
    expect(proxy.sent()).toEqual(["CDS -c2"]);
    proxy.set(wireSet({ ...old, CDS: { c1: "1", c2: "1" }, EDS: { c1: "1", c2: "1" } }));
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual(["CDS c2=1", "EDS c2=1"]);
  });

  test("what it listed and asks for again by name, and is gone: said at once", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("CDS", ["c1"], old.CDS);
    expect(proxy.sent()).toEqual([]);
    proxy.ask("CDS", ["c1"]);
    expect(proxy.sent()).toEqual(["CDS -c1"]);
  });

  test("what it listed and is back as it was is there again for who asks, though something else is gone", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet({ LDS: { l: "1" } }));
    proxy.ask("CDS", ["*"], { c1: "1", gone: "1" });
    proxy.ask("LDS", ["*"], old.LDS);
    proxy.sent();
    proxy.ack("CDS");
    proxy.set(wireSet({ CDS: { c1: "1" }, LDS: { l: "1" } }));
    proxy.ask("CDS", ["c1"]);
    expect(proxy.sent()).toEqual(["CDS c1=1"]);
  });

  test("endpoints that it listed and are back as they were do not overtake their cluster", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet({ CDS: { c1: "1" } }));
    proxy.ask("CDS", ["*"]);
    proxy.ask("EDS", ["c1"], old.EDS);
    expect(proxy.sent()).toEqual(["CDS c1=1", "EDS -c1"]);
    proxy.ack("EDS");
    proxy.set(wireSet({ CDS: { c1: "2" }, EDS: { c1: "1" } }));
    proxy.ask("EDS", ["c1"]);
    expect(proxy.sent()).toEqual([]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual(["CDS c1=2", "EDS c1=1"]);
  });

  test("while something listed is about to go, an equal world leaves what is on offer the very same", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(old));
    proxy.ask("CDS", ["*"], { ...old.CDS, gone: "1" });
    proxy.set(wireSet(old));
    const before = proxy.state.plan?.offered.CDS;
    expect(before?.has("gone")).toBe(true);
    proxy.set(wireSet(old));
    expect(proxy.state.plan?.offered.CDS).toBe(before);
  });

  test("who does not answer is waited for no longer than at any other time", () => {
    const proxy = new DeltaDriver();
    proxy.set(wireSet(moved));
    proxy.ask("CDS", ["*"], old.CDS);
    proxy.ask("RDS", ["r"], old.RDS);
    expect(proxy.sent()).toEqual(["CDS c2=1"]);
    proxy.fire("gate");
    expect(proxy.sent()).toEqual(["RDS r=2"]);
  });
});

describe("state of the world", () => {
  /** A proxy at work on `old`, and the stream that it loses after this many of its answers to the change. */
  function lostDuringChange(answers: number): SotwDriver {
    const proxy = new SotwDriver();
    proxy.set(wireSet(old));
    proxy.ask("CDS", []);
    proxy.ask("EDS", ["c1"]);
    proxy.ask("LDS", []);
    proxy.ask("RDS", ["r"]);
    for (const { type } of proxy.responses()) proxy.ack(type.short);
    proxy.set(wireSet(moved));
    for (let answer = 0; answer < answers; answer++) {
      const [response] = proxy.responses();
      if (response === undefined) break;
      proxy.ack(response.type.short, response.type.short === "EDS" ? ["c1", "c2"] : undefined);
      if (response.type.short === "CDS") proxy.ask("EDS", ["c1", "c2"]);
    }
    return proxy;
  }

  function back(lost: SotwDriver): SotwDriver {
    const { plan } = lost.state;
    const proxy = new SotwDriver(plan && { past: plan.offered });
    proxy.set(wireSet(moved));
    proxy.ask("CDS", [], { version: "x" });
    return proxy;
  }

  test.each([0, 1, 2])(
    "cut after %d answers: both clusters, then endpoints, the route, and the old cluster goes last",
    (answers) => {
      const proxy = back(lostDuringChange(answers));
      expect(proxy.sent()).toEqual(["CDS c1=1 c2=1"]);
      proxy.ask("LDS", [], { version: "x" });
      proxy.ask("RDS", ["r"], { version: "x" });
      proxy.ask("EDS", ["c1", "c2"], { version: "x" });
      proxy.ack("CDS");
      while (proxy.timers.has("ack/EDS")) proxy.ack("EDS");
      const rest = proxy.sent();
      expect(rest.filter((text) => !text.startsWith("EDS"))).toEqual(["LDS l=1", "RDS r=2"]);
      proxy.ack("LDS");
      proxy.ack("RDS");
      // Once for the time in which listeners and routes were not asked for yet, once for real.
      proxy.fire("grace/CDS");
      if (proxy.timers.has("grace/CDS")) proxy.fire("grace/CDS");
      expect(proxy.sent()).toEqual(["CDS c2=1"]);
    },
  );

  test("what is acknowledged on the new stream is not waited for again when another type is asked for", () => {
    const proxy = new SotwDriver();
    proxy.set(wireSet(old));
    proxy.ask("CDS", [], { version: "x" });
    proxy.ask("EDS", ["c1"], { version: "x" });
    proxy.ack("CDS");
    while (proxy.timers.has("ack/EDS")) proxy.ack("EDS");
    proxy.sent();
    proxy.ask("LDS", [], { version: "x" });
    expect(proxy.sent()).toEqual(["LDS l=1"]);
    proxy.ask("RDS", ["r"], { version: "x" });
    expect(proxy.sent()).toEqual(["RDS r=1"]);
  });

  test("what was taken back last may be gone at the proxy: when it is wanted again, it is waited for", () => {
    const lost = lostDuringChange(3);
    const known = lost.state.plan;
    lost.fire("grace/CDS");
    expect(lost.sent()).toEqual(["CDS c2=1"]);
    const proxy = new SotwDriver(known && { past: known.offered });
    proxy.set(wireSet(moved));
    proxy.ask("CDS", [], { version: "x" });
    proxy.set(wireSet(old));
    proxy.ask("EDS", ["c2"], { version: "x" });
    proxy.ask("LDS", [], { version: "x" });
    proxy.ask("RDS", ["r"], { version: "x" });
    expect(proxy.sent().filter((text) => !text.startsWith("EDS"))).toEqual(["CDS c1=1 c2=1"]);
    proxy.ack("EDS", ["c1", "c2"]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual(["EDS c1=1"]);
    proxy.ack("EDS");
    expect(proxy.sent()).toEqual(["LDS l=1", "RDS r=1"]);
  });

  test("endpoints whose cluster had gone are not asked for again, and not waited for", () => {
    const { resources: past } = wireSet({ ...old, EDS: { c0: "1", c1: "1" } });
    const proxy = new SotwDriver({ past });
    proxy.set(wireSet(moved));
    proxy.ask("CDS", [], { version: "x" });
    proxy.ask("EDS", ["c1"], { version: "x" });
    proxy.ask("LDS", [], { version: "x" });
    proxy.ack("CDS");
    proxy.ack("EDS", ["c1", "c2"]);
    proxy.ack("EDS");
    expect(proxy.sent().at(-1)).toBe("LDS l=1");
  });

  test("alone on its stream: what comes before it elsewhere has its time, as for anybody else", () => {
    const proxy = new SotwDriver({ only: "RDS" });
    proxy.set(wireSet(old));
    proxy.ask("RDS", ["r"], { version: "x" });
    expect(proxy.sent()).toEqual(["RDS r=1"]);
    proxy.ack("RDS");
    proxy.set(wireSet(moved));
    expect(proxy.sent()).toEqual([]);
    proxy.event({ on: "ready", resources: wireSet(moved) });
    expect(proxy.sent()).toEqual(["RDS r=2"]);
  });

  test("clusters are waited for, also those without endpoints", () => {
    const plain = (name: string) => ({ ...wireResource("CDS", name, "1"), references: [] });
    const world = createResourceSet([plain("c1"), wireResource("LDS", "l", "1"), wireResource("RDS", "r", "1")]);
    const proxy = new SotwDriver();
    proxy.set(world);
    proxy.ask("RDS", ["r"], { version: "x" });
    proxy.event({ on: "room", room: false });
    proxy.ask("CDS", [], { version: "x" });
    proxy.ask("LDS", [], { version: "x" });
    proxy.event({ on: "room", room: true });
    expect(proxy.sent()).toEqual(["RDS r=1", "CDS c1=1"]);
    proxy.ack("CDS");
    expect(proxy.sent()).toEqual(["LDS l=1"]);
  });

  test("one that starts anew under the same name gets the present alone", () => {
    const { plan } = lostDuringChange(0).state;
    const proxy = new SotwDriver(plan && { past: plan.offered });
    proxy.set(wireSet(moved));
    proxy.ask("CDS", []);
    expect(proxy.sent()).toEqual(["CDS c2=1"]);
  });
});
