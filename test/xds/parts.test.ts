import { describe, expect, test } from "vitest";
import { createResourceSet, type Resource } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { emptyContent } from "../../src/xds/dialect.ts";
import { estimate } from "../../src/xds/fit.ts";
import { wireResource } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";

/* Large answers go out in parts where they may, and what a client cannot take stays behind with one alarm. */

const grpc = { maxResponseBytes: 4 * 1024 * 1024, resourceErrors: true };

/** Resources of 100 kB each. */
const large = (type: TypeName, count: number, version = "1"): readonly Resource[] =>
  Array.from({ length: count }, (_, i) => {
    const name = `r${1_000 + i}`;
    return { ...wireResource(type, name, version), bytes: new Uint8Array(100_000) };
  });

const names = (resources: readonly Resource[]): readonly string[] => resources.map(({ name }) => name);

function takeParts(stream: DeltaDriver | SotwDriver, type: TypeName): readonly (readonly string[])[] {
  const parts: (readonly string[])[] = [];
  for (;;) {
    const [response, ...more] = stream.responses();
    expect(more).toEqual([]);
    if (response === undefined) return parts;
    expect(response.content.resources.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(4_194_304);
    parts.push(names(response.content.resources));
    stream.ack(type);
  }
}

test("DEL-15 clusters in parts, one after the other's ACK; endpoints and listeners after the last", () => {
  const clusters = large("CDS", 100).map((one) => ({ ...one, references: [{ type: "EDS" as const, name: one.name }] }));
  const endpoints = names(clusters).map((name) => wireResource("EDS", name, "1"));
  const stream = new DeltaDriver();
  stream.set(createResourceSet([...clusters, ...endpoints, wireResource("LDS", "l", "1")]));
  stream.ask("LDS", []);
  expect(stream.sent()).toEqual(["LDS l=1"]);
  stream.ack("LDS");

  stream.ask("CDS", []);
  expect(stream.responses().map(({ content }) => content.resources.length)).toEqual([39]);
  stream.set(createResourceSet([...clusters, ...endpoints, wireResource("LDS", "l", "2")]));
  stream.ask("EDS", names(clusters).slice(0, 39));
  expect(stream.responses().map(({ type }) => type.short)).toEqual(["EDS"]);
  stream.ack("EDS");
  expect(stream.responses()).toEqual([]);
  stream.ack("CDS");
  expect(stream.responses().map(({ type, content }) => [type.short, content.resources.length])).toEqual([["CDS", 39]]);
  stream.ack("CDS");
  expect(stream.responses().map(({ type, content }) => [type.short, content.resources.length])).toEqual([
    ["CDS", 22],
    ["LDS", 1],
  ]);
});

test("endpoints that were asked for before their clusters follow those of each part, and no others", () => {
  const clusters = large("CDS", 60).map((one) => ({ ...one, references: [{ type: "EDS" as const, name: one.name }] }));
  const endpoints = names(clusters).map((name) => wireResource("EDS", name, "1"));
  const stream = new DeltaDriver();
  stream.set(createResourceSet([...clusters, ...endpoints]));
  stream.ask("EDS", names(clusters));
  stream.responses();
  stream.ack("EDS");
  stream.ask("CDS", []);
  const [part, followers] = stream.responses();
  expect(part?.content.resources).toHaveLength(39);
  expect(names(followers?.content.resources ?? [])).toEqual(names(part?.content.resources ?? []));
});

test("what has nothing to send waits at no gate", () => {
  const stream = new DeltaDriver();
  stream.set(createResourceSet([...large("CDS", 60), wireResource("LDS", "l", "1")]));
  stream.ask("LDS", []);
  stream.ack("LDS");
  stream.ask("CDS", []);
  expect([...stream.timers]).toEqual(["ack/CDS"]);
  stream.ack("CDS");
  stream.ack("CDS");
  expect([...stream.timers]).toEqual([]);
});

test("what is gone is said in the first part alone", () => {
  const stream = new DeltaDriver();
  stream.set(createResourceSet(large("LDS", 60)));
  stream.ask("LDS", []);
  takeParts(stream, "LDS");
  stream.set(createResourceSet(large("LDS", 58, "2")));
  const [first] = stream.responses();
  expect(first?.content.removed).toEqual(["r1058", "r1059"]);
  expect(stream.state.types.LDS.held.has("r1058")).toBe(false);
  stream.ack("LDS");
  const [second] = stream.responses();
  expect(second?.content.removed).toEqual([]);
  expect(names(second?.content.resources ?? [])).toEqual(names(large("LDS", 58)).slice(39));
});

test("DEL-15 endpoints asked for all at once come after the part that has their cluster", () => {
  const clusters = large("CDS", 60).map((one) => ({ ...one, references: [{ type: "EDS" as const, name: one.name }] }));
  const endpoints = names(clusters).map((name) => wireResource("EDS", name, "1"));
  const stream = new DeltaDriver();
  stream.set(createResourceSet([...clusters, ...endpoints]));
  stream.ask("CDS", []);
  stream.ask("EDS", [...names(clusters), "none"]);
  const counts = () =>
    stream.responses().map(({ type, content }) => [type.short, content.resources.length, ...content.removed]);
  expect(counts()).toEqual([
    ["CDS", 39],
    ["EDS", 39, "none"],
  ]);
  stream.ack("EDS");
  expect(counts()).toEqual([]);
  stream.ack("CDS");
  expect(counts()).toEqual([
    ["CDS", 21],
    ["EDS", 21],
  ]);
});

test("a first answer of listeners waits for the rest of the clusters", () => {
  const stream = new DeltaDriver();
  stream.set(createResourceSet([...large("CDS", 50), wireResource("LDS", "l", "1")]));
  stream.ask("CDS", []);
  expect(stream.responses()).toHaveLength(1);
  stream.ask("LDS", []);
  expect(stream.responses()).toEqual([]);
  stream.ack("CDS");
  expect(stream.responses().map(({ type }) => type.short)).toEqual(["CDS", "LDS"]);
});

test.each(["sotw", "delta"] as const)(
  "%s: endpoints in parts: every one once, also those that do not exist",
  (variant) => {
    const endpoints = large("EDS", 90);
    const stream = variant === "sotw" ? new SotwDriver() : new DeltaDriver();
    stream.set(createResourceSet(endpoints));
    stream.ask("EDS", [...names(endpoints), "none"]);
    const parts = takeParts(stream, "EDS");
    expect(parts.length).toBe(3);
    const wanted = variant === "sotw" ? ["none", ...names(endpoints)] : names(endpoints);
    expect(parts.flat().sort()).toEqual([...wanted].sort());
    stream.set(createResourceSet(large("EDS", 90, "2")));
    expect(takeParts(stream, "EDS").flat().sort()).toEqual([...names(endpoints)].sort());
  },
);

test("a change between two parts: the newest state arrives, nothing twice in one version", () => {
  const stream = new DeltaDriver();
  stream.set(createResourceSet(large("CDS", 60)));
  stream.ask("CDS", []);
  const [first] = stream.responses();
  const [changed] = large("CDS", 1, "2");
  stream.set(createResourceSet([...(changed ? [changed] : []), ...large("CDS", 60).slice(1, -1)]));
  expect(stream.responses()).toEqual([]);
  stream.ack("CDS");
  const [second] = stream.responses();
  expect(first?.content.resources.length).toBe(39);
  expect(second?.content.resources.map(({ name, version }) => `${name}=${version}`).at(0)).toBe("r1000=2");
  expect(second?.content.resources.length).toBe(21);
});

describe("FLW-02 a gRPC client's limit", () => {
  test("a whole set beyond it is one alarm, and no response", () => {
    const stream = new SotwDriver({ traits: grpc });
    stream.set(createResourceSet(large("CDS", 50)));
    stream.ask("CDS", names(large("CDS", 50)));
    expect(stream.responses()).toEqual([]);
    expect(stream.effects()).toMatchObject([{ do: "oversized", type: "CDS", names: [] }]);
    stream.ask("CDS", names(large("CDS", 50)));
    expect([stream.responses(), stream.effects()]).toEqual([[], []]);
    stream.set(createResourceSet(large("CDS", 20)));
    expect(stream.responses()).toHaveLength(1);
  });

  test("one resource beyond it and nothing else: no response, but the first one that a wildcard is owed", () => {
    const huge = (type: TypeName) => ({ ...wireResource(type, "huge", "1"), bytes: new Uint8Array(5_000_000) });
    const world = createResourceSet([huge("EDS"), huge("CDS")]);
    for (const stream of [new SotwDriver({ traits: grpc }), new DeltaDriver({ traits: grpc })]) {
      stream.set(world);
      stream.ask("EDS", ["huge"]);
      expect(stream.sent()).toEqual([]);
      expect(stream.effects().map((effect) => effect.do)).toEqual(["oversized"]);
      stream.ask("CDS", []);
      expect(stream.sent()).toEqual(stream instanceof DeltaDriver ? ["CDS"] : []);
      stream.set(world);
      expect(stream.sent()).toEqual([]);
    }
  });

  test("a whole set beyond it stops no other type", () => {
    const stream = new SotwDriver({ traits: grpc });
    stream.set(createResourceSet([...large("CDS", 50), wireResource("LDS", "l", "1")]));
    stream.ask("CDS", names(large("CDS", 50)));
    stream.ask("LDS", ["l"]);
    expect(stream.sent()).toEqual(["LDS l=1"]);
  });

  test("a whole set that just fits is sent", () => {
    const clusters = large("CDS", 3);
    const size = estimate(resourceType("CDS"), { ...emptyContent, resources: clusters });
    for (const [maxResponseBytes, count] of [
      [size, 1],
      [size - 1, 0],
    ] as const) {
      const stream = new SotwDriver({ traits: { maxResponseBytes } });
      stream.set(createResourceSet(clusters));
      stream.ask("CDS", names(clusters));
      expect(stream.responses()).toHaveLength(count);
    }
  });

  test("one resource beyond it stays behind, its neighbours arrive", () => {
    const huge = { ...wireResource("EDS", "huge", "1"), bytes: new Uint8Array(5_000_000) };
    const stream = new SotwDriver({ traits: grpc });
    stream.set(createResourceSet([huge, wireResource("EDS", "small", "1")]));
    stream.ask("EDS", ["huge", "small"]);
    expect(stream.sent()).toEqual(["EDS small=1"]);
    expect(stream.effects()).toEqual([{ do: "oversized", type: "EDS", names: ["huge"], bytes: 5_000_000 }]);
    stream.ack("EDS");
    expect([stream.sent(), stream.effects().map((effect) => effect.do)]).toEqual([[], ["accepted"]]);
    stream.set(createResourceSet([wireResource("EDS", "huge", "2"), wireResource("EDS", "small", "1")]));
    expect(stream.sent()).toEqual(["EDS huge=2"]);
  });

  test("an Envoy takes one that is larger than a part, and its neighbours later", () => {
    const huge = { ...wireResource("EDS", "huge", "1"), bytes: new Uint8Array(5_000_000) };
    const stream = new DeltaDriver();
    stream.set(createResourceSet([huge, wireResource("EDS", "small", "1")]));
    stream.ask("EDS", ["huge", "small"]);
    expect(stream.sent()).toEqual(["EDS huge=1"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS small=1"]);
  });

  test("an Envoy takes more in one response", () => {
    const stream = new SotwDriver();
    stream.set(createResourceSet(large("CDS", 50)));
    stream.ask("CDS", []);
    expect(stream.responses()).toHaveLength(1);
    expect(stream.effects()).toEqual([]);
  });
});
