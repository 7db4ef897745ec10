import { describe, expect, test } from "vitest";
import { createResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { traitsOf } from "../../src/xds/client-traits.ts";
import { wireSet as set, wireResource } from "../support/wire-resources.ts";
import { DeltaDriver, type DriverOptions, SotwDriver } from "./driver.ts";

/* What differs from type to type, and from client to client. */

const envoy = (version: string): DriverOptions => ({
  traits: traitsOf({ client: { name: "envoy", version }, features: [] }),
});
const grpc: DriverOptions = { traits: traitsOf({ client: { name: "gRPC C-core", version: "1" }, features: [] }) };

const deltaWith = (options: DriverOptions, resources = set({})): DeltaDriver => {
  const stream = new DeltaDriver(options);
  stream.set(resources);
  return stream;
};
const sotwWith = (options: DriverOptions, resources = set({})): SotwDriver => {
  const stream = new SotwDriver(options);
  stream.set(resources);
  return stream;
};

describe("a name that does not exist", () => {
  test.each([
    ["RTDS", "RTDS x=absent", "RTDS x=absent", "RTDS x=absent"],
    ["CDS", "CDS -x", "CDS !x", "CDS !x"],
    ["EDS", "EDS -x", "EDS x=absent", "EDS x=absent"],
    ["SDS", "SDS -x", undefined, "SDS !x"],
    ["LDS", "LDS -x", "LDS !x", "LDS !x"],
    ["ECDS", undefined, undefined, undefined],
    ["SRDS", "SRDS -x", "SRDS !x", "SRDS !x"],
    ["RDS", "RDS -x", undefined, "RDS !x"],
    ["VHDS", "VHDS ?x", undefined, undefined],
    ["LEDS", "LEDS -x", undefined, undefined],
  ] as const)("%s: delta %s, state of the world %s, gRPC %s; sent when it comes", (type, delta, sotw, toGrpc) => {
    const list = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);
    for (const [stream, wanted] of [
      [deltaWith(envoy("1.40.0")), delta],
      [sotwWith(envoy("1.40.0")), sotw],
      [sotwWith(grpc), toGrpc],
    ] as const) {
      stream.ask(type, ["x"]);
      expect(stream.sent()).toEqual(list(wanted));
      if (wanted !== undefined) stream.ack(type);
      expect(stream.sent()).toEqual([]);
      stream.set(set({ [type]: { x: "1" } }));
      const isServed = stream instanceof DeltaDriver || (type !== "VHDS" && type !== "LEDS");
      expect(stream.sent()).toEqual(isServed ? [`${type} x=1`] : []);
    }
  });

  test("what is there is sent beside what stands in for a name that is not", () => {
    const stream = deltaWith({}, set({ RTDS: { a: "1" } }));
    stream.ask("RTDS", ["a", "x"]);
    expect(stream.sent()).toEqual(["RTDS a=1 x=absent"]);
  });

  test("ERR-01 no error is no response", () => {
    const stream = sotwWith(grpc, set({ RDS: { a: "1" } }));
    stream.ask("RDS", ["a"]);
    stream.ack("RDS");
    stream.sent();
    stream.set(set({ RDS: { a: "1", b: "1" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("ERR-01 an error is said once, beside what exists, and again only after a change", () => {
    const stream = sotwWith(grpc, set({ CDS: { a: "1" } }));
    stream.ask("CDS", ["a", "x"]);
    expect(stream.sent()).toEqual(["CDS a=1 !x"]);
    stream.ack("CDS");
    stream.set(set({ CDS: { a: "2" } }));
    expect(stream.sent()).toEqual(["CDS a=2"]);
    stream.ack("CDS");
    stream.set(set({ CDS: { a: "2", x: "1" } }));
    expect(stream.sent()).toEqual(["CDS a=2 x=1"]);
  });
});

describe("ERR-02 a resource that cannot be made", () => {
  const broken = createResourceSet(
    [wireResource("LDS", "a", "1")],
    [{ type: "LDS", name: "x", kind: "broken", reason: "of a fault" }],
  );

  test("is an error that passes, for who reads errors", () => {
    const stream = sotwWith(grpc, broken);
    stream.ask("LDS", ["a", "x"]);
    expect(stream.responses().map(({ content }) => [content.missing, content.unavailable])).toEqual([[[], ["x"]]]);
    stream.ack("LDS");
    stream.set(set({ LDS: { a: "1", x: "1" } }));
    expect(stream.sent()).toEqual(["LDS a=1 x=1"]);
  });

  test("is not said to be removed", () => {
    const stream = deltaWith({}, broken);
    stream.ask("LDS", ["a", "x"]);
    expect(stream.sent()).toEqual(["LDS a=1"]);
    stream.ack("LDS");
    stream.set(set({ LDS: { a: "1", x: "1" } }));
    expect(stream.sent()).toEqual(["LDS x=1"]);
  });
});

describe("ERR-02 beside a resource that cannot be made", () => {
  const worldWith = (type: TypeName, kind: "broken" | "missing") =>
    createResourceSet([wireResource("RDS", "a", "1")], [{ type, name: "x", kind, reason: "of a fault" }]);
  const errors = (stream: SotwDriver) =>
    stream.responses().map(({ content: { missing, unavailable } }) => ({ missing, unavailable }));

  test("what is not there at all is missing, and nothing else", () => {
    const stream = sotwWith(grpc, worldWith("RDS", "broken"));
    stream.ask("RDS", ["x", "y"]);
    expect(errors(stream)).toEqual([{ missing: ["y"], unavailable: ["x"] }]);
  });

  test.each([
    ["of another type", worldWith("LDS", "broken")],
    ["that only others name", worldWith("RDS", "missing")],
  ])("a name %s is missing", (_, world) => {
    const stream = sotwWith(grpc, world);
    stream.ask("RDS", ["x"]);
    expect(errors(stream)).toEqual([{ missing: ["x"], unavailable: [] }]);
  });

  test("who asks for it later is told of it", () => {
    const stream = sotwWith(grpc, worldWith("LDS", "broken"));
    stream.ask("LDS", ["y"]);
    stream.ack("LDS");
    stream.sent();
    stream.ask("LDS", ["x", "y"]);
    expect(stream.responses().map(({ content }) => content.unavailable)).toEqual([["x"]]);
  });

  test("there is no error for endpoints", () => {
    const stream = sotwWith(grpc, worldWith("EDS", "broken"));
    stream.ask("EDS", ["x"]);
    expect(stream.responses()).toEqual([]);
  });
});

describe("a resource that goes", () => {
  test("TYP-01 an old Envoy hears nothing of a secret that is gone, a newer one does", () => {
    for (const [version, said] of [
      ["1.29.3", []],
      ["1.30.0", ["SDS -s"]],
      ["1.40.0", ["SDS -s"]],
    ] as const) {
      const stream = deltaWith(envoy(version), set({ SDS: { s: "1" } }));
      stream.ask("SDS", ["s", "none"]);
      expect(stream.sent()).toEqual([version === "1.29.3" ? "SDS s=1" : "SDS s=1 -none"]);
      stream.ack("SDS");
      stream.set(set({}));
      expect(stream.sent()).toEqual(said);
      if (said.length > 0) stream.ack("SDS");
      stream.set(set({ SDS: { s: "1" } }));
      expect(stream.sent()).toEqual(["SDS s=1"]);
    }
  });

  test("TYP-02 an extension that is gone is not said to be removed; its return is", () => {
    const stream = deltaWith(envoy("1.40.0"), set({ ECDS: { e: "1" } }));
    stream.ask("ECDS", ["e"]);
    stream.responses();
    stream.ack("ECDS");
    stream.set(set({}));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ ECDS: { e: "2" } }));
    expect(stream.sent()).toEqual(["ECDS e=2"]);
  });
});

describe("on demand", () => {
  const onDemand = (version: string) =>
    createResourceSet([wireResource("CDS", "a", "1"), { ...wireResource("CDS", "z", version), onDemand: true }]);

  test.each(["delta", "sotw"] as const)("WLD-02 %s: a wildcard leaves it out, its name brings it", (variant) => {
    const stream = variant === "delta" ? deltaWith({}, onDemand("1")) : sotwWith({}, onDemand("1"));
    stream.ask("CDS", ["*"]);
    expect(stream.sent()).toEqual(["CDS a=1"]);
    stream.ack("CDS");
    stream.set(onDemand("2"));
    expect(stream.sent()).toEqual([]);
    if (stream instanceof DeltaDriver) stream.ask("CDS", ["z"]);
    else stream.ack("CDS", ["*", "z"]);
    expect(stream.sent()).toEqual([variant === "delta" ? "CDS z=2" : "CDS a=1 z=2"]);
    stream.ack("CDS");
    stream.set(onDemand("3"));
    expect(stream.sent()).toEqual([variant === "delta" ? "CDS z=3" : "CDS a=1 z=3"]);
    stream.ack("CDS");
    stream.set(onDemand("3"));
    expect(stream.sent()).toEqual([]);
  });

  test("DEL-05 unsubscribed by name under a wildcard that does not cover it: removed", () => {
    const stream = deltaWith({}, onDemand("1"));
    stream.ask("CDS", ["*", "z", "a"]);
    expect(stream.sent()).toEqual(["CDS a=1 z=1"]);
    stream.ack("CDS");
    stream.ask("CDS", ["-a", "-z"]);
    expect(stream.sent()).toEqual(["CDS a=1 -z"]);
  });

  test("its removal is said to those who named it", () => {
    const [named, other] = [deltaWith({}, onDemand("1")), deltaWith({}, onDemand("1"))];
    named.ask("CDS", ["*", "z"]);
    other.ask("CDS", ["*"]);
    for (const stream of [named, other]) {
      stream.responses();
      stream.ack("CDS");
      stream.set(createResourceSet([wireResource("CDS", "a", "1")]));
    }
    expect([named.sent(), other.sent()]).toEqual([["CDS -z"], []]);
  });
});

test("TYP-04 a changed route table is followed by the virtual hosts that were asked for", () => {
  const first = { RDS: { r: "1", s: "1" }, VHDS: { "r/a.com": "1", "r/b.com": "1", "s/a.com": "1" } };
  const stream = deltaWith({}, set(first));
  stream.ask("RDS", ["r", "s"]);
  stream.ask("VHDS", ["r/a.com", "s/a.com", "r/none"]);
  expect(stream.sent()).toEqual(["RDS r=1 s=1", "VHDS r/a.com=1 s/a.com=1 ?r/none"]);
  stream.ack("RDS");
  stream.ack("VHDS");
  stream.set(set({ ...first, RDS: { r: "2", s: "1" } }));
  expect(stream.sent()).toEqual(["RDS r=2", "VHDS r/a.com=1 ?r/none"]);
});

test("types without a state-of-the-world variant are unknown there", () => {
  for (const { short, url, service } of resourceTypes) {
    const stream = sotwWith({}, set({ [short]: { x: "1" } }));
    stream.ask(short, ["x"]);
    const effects = stream.effects();
    expect(effects).toEqual(service.sotw === undefined ? [{ do: "unknown-type", typeUrl: url }] : []);
  }
});

describe("time to live", () => {
  const features = ["xds.config.supports-resource-ttl", "xds.config.supports-resource-in-sotw"];
  const mortal = (version: string, ttlMs?: number) =>
    createResourceSet([
      { ...wireResource("EDS", "a", version), ...(ttlMs !== undefined && { ttlMs }) },
      wireResource("EDS", "b", "1"),
    ]);
  const client = (list: readonly string[]) => ({
    traits: traitsOf({ client: { name: "envoy", version: "1.40.0" }, features: list }),
  });

  test.each(["delta", "sotw"] as const)("TTL-02 %s: a sign of life at half of it, until it has none", (variant) => {
    const options = client(features);
    const stream = variant === "delta" ? deltaWith(options, mortal("1", 2_000)) : sotwWith(options, mortal("1", 2_000));
    stream.ask("EDS", ["a", "b"]);
    expect(stream.sent()).toEqual(["EDS a=1 b=1"]);
    expect(stream.delays.get("heartbeat/EDS")).toBe(1_000);
    stream.fire("heartbeat/EDS");
    expect(stream.sent()).toEqual([]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS ~a"]);
    stream.ack("EDS");
    stream.fire("heartbeat/EDS");
    expect(stream.sent()).toEqual(["EDS ~a"]);
    stream.ack("EDS");
    stream.set(mortal("2"));
    expect(stream.sent()).toEqual(["EDS a=2"]);
    stream.ack("EDS");
    expect([...stream.timers]).toEqual([]);
  });

  test("TTL-02 a sign of life is a response like any other: it is waited for, and refused for itself", () => {
    const stream = deltaWith(client(features), mortal("1", 2_000));
    stream.ask("EDS", ["a", "b"]);
    stream.ack("EDS");
    stream.responses();
    stream.reading = false;
    stream.fire("heartbeat/EDS");
    expect(stream.responses().map(({ content }) => [content.ttl, content.resources.length])).toEqual([[true, 0]]);
    expect([...stream.timers]).toEqual(["heartbeat/EDS"]);
    stream.set(mortal("2", 2_000));
    expect(stream.sent()).toEqual([]);
    stream.nack("EDS");
    expect(stream.state.types.EDS.refused).toEqual(new Set());
    expect(stream.sent()).toEqual(["EDS a=2"]);
  });

  test("TTL-02 the shortest time counts, of what is asked for", () => {
    const one = (name: string, ttlMs: number) => ({ ...wireResource("EDS", name, "1"), ttlMs });
    const stream = deltaWith(
      client(features),
      createResourceSet([one("a", 4_000), one("b", 3_000), one("other", 1_000)]),
    );
    stream.ask("EDS", ["a", "b"]);
    stream.ack("EDS");
    stream.sent();
    expect(stream.delays.get("heartbeat/EDS")).toBe(1_500);
    stream.fire("heartbeat/EDS");
    expect(stream.sent()).toEqual(["EDS ~a ~b"]);
  });

  test("TTL-02 delta: a cluster needs no whole set to live on", () => {
    const cluster = { ...wireResource("CDS", "a", "1"), ttlMs: 2_000 };
    const stream = deltaWith(client(features), createResourceSet([cluster, wireResource("CDS", "b", "1")]));
    stream.ask("CDS", ["*"]);
    stream.ack("CDS");
    stream.sent();
    stream.fire("heartbeat/CDS");
    expect(stream.sent()).toEqual(["CDS ~a"]);
  });

  test("TTL-02 a whole set is its own sign of life: what is absent from it would be removed", () => {
    const stream = sotwWith(
      client(features),
      createResourceSet([{ ...wireResource("CDS", "a", "1"), ttlMs: 2_000 }, wireResource("CDS", "b", "1")]),
    );
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual(["CDS a=1 b=1"]);
    stream.ack("CDS");
    stream.fire("heartbeat/CDS");
    expect(stream.responses().map(({ content }) => [content.resources.length, content.heartbeats.length])).toEqual([
      [2, 0],
    ]);
  });

  test("TTL-02 none for virtual hosts: without a body they do not exist", () => {
    const host = { ...wireResource("VHDS", "r/a.com", "1"), ttlMs: 2_000 };
    const stream = deltaWith(client(features), createResourceSet([host]));
    stream.ask("VHDS", ["r/a.com"]);
    expect(stream.sent()).toEqual(["VHDS r/a.com=1"]);
    stream.ack("VHDS");
    expect([...stream.timers]).toEqual([]);
  });

  test("TTL-01 none for who does not list it", () => {
    for (const [list, variant] of [
      [[], "delta"],
      [[], "sotw"],
      [["xds.config.supports-resource-ttl"], "sotw"],
    ] as const) {
      const options = client(list);
      const stream =
        variant === "delta" ? deltaWith(options, mortal("1", 2_000)) : sotwWith(options, mortal("1", 2_000));
      stream.ask("EDS", ["a"]);
      expect(stream.responses().map(({ content }) => content.ttl)).toEqual([false]);
      stream.ack("EDS");
      expect([...stream.timers]).toEqual([]);
    }
  });
});

describe("alone on a single-type service", () => {
  const old = { CDS: { c1: "1" }, RDS: { r: "1" } };
  const moved = { CDS: { c2: "1" }, RDS: { r: "2" } };

  test("clusters: new ones at once, removals after a grace time", () => {
    const stream = deltaWith({ only: "CDS" }, set(old));
    stream.ask("CDS", []);
    stream.responses();
    stream.ack("CDS");
    stream.set(set(moved));
    expect(stream.sent()).toEqual(["CDS c2=1"]);
    stream.ack("CDS");
    expect([...stream.timers]).toEqual(["grace/CDS"]);
    stream.fire("grace/CDS");
    expect(stream.sent()).toEqual(["CDS -c1"]);
  });

  const routes = (version: string) => set({ ...moved, RDS: { r: version } });

  test("routes are late, one change after the other, as nobody here knows of clusters", () => {
    const stream = deltaWith({ only: "RDS" }, set(old));
    stream.ask("RDS", ["r"]);
    expect(stream.sent()).toEqual(["RDS r=1"]);
    stream.ack("RDS");
    const [second, third] = [routes("2"), routes("3")];
    stream.set(second);
    stream.set(third);
    expect([stream.sent(), [...stream.timers]]).toEqual([[], []]);
    stream.event({ on: "ready", resources: second });
    expect(stream.sent()).toEqual(["RDS r=2"]);
    stream.ack("RDS");
    expect(stream.sent()).toEqual([]);
    stream.event({ on: "ready", resources: third });
    expect(stream.sent()).toEqual(["RDS r=3"]);
  });

  test("a name that is to come is not said to be missing", () => {
    for (const stream of [deltaWith({ only: "RDS" }, set({})), sotwWith({ ...grpc, only: "RDS" }, set({}))]) {
      stream.ask("RDS", ["other"]);
      stream.responses();
      stream.ack("RDS");
      const next = routes("1");
      stream.set(next);
      if (stream instanceof DeltaDriver) stream.ask("RDS", ["r"]);
      else stream.ack("RDS", ["r", "other"]);
      expect(stream.sent()).toEqual([]);
      stream.event({ on: "ready", resources: next });
      expect(stream.sent()).toEqual(["RDS r=1"]);
    }
  });

  test("routes that go leave after a grace time", () => {
    const stream = deltaWith({ only: "RDS" }, set(old));
    stream.ask("RDS", ["r"]);
    stream.responses();
    stream.ack("RDS");
    const next = set({});
    stream.set(next);
    stream.event({ on: "ready", resources: next });
    expect(stream.sent()).toEqual([]);
    stream.fire("grace/RDS");
    expect(stream.sent()).toEqual(["RDS -r"]);
  });
});

test("without room on the connection nothing is sent; then the newest", () => {
  const stream = deltaWith({}, set({ CDS: { a: "1" } }));
  stream.event({ on: "room", room: false });
  stream.ask("CDS", []);
  stream.set(set({ CDS: { a: "2" } }));
  expect(stream.sent()).toEqual([]);
  stream.event({ on: "room", room: true });
  expect(stream.sent()).toEqual(["CDS a=2"]);
});

test.each([
  ["sotw", new SotwDriver(), []],
  ["delta", new DeltaDriver(), ["*"]],
] as const)("%s: what was for who names it alone, and is for everybody now, is new to a wildcard", (_, stream, all) => {
  const everybody = set({ CDS: { a: "1", b: "1" } });
  const hidden = createResourceSet(
    [...everybody.resources.CDS.values()].map((one) => (one.name === "a" ? { ...one, onDemand: true } : one)),
  );
  stream.set(hidden);
  stream.ask("CDS", all);
  expect(stream.sent()).toEqual(["CDS b=1"]);
  stream.ack("CDS");
  stream.set(everybody);
  expect(stream.sent()).toEqual([stream instanceof SotwDriver ? "CDS a=1 b=1" : "CDS a=1"]);
});
