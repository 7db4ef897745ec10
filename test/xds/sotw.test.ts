import { describe, expect, test } from "vitest";
import { maxNamesPerRequest } from "../../src/envoy/discovery-request.ts";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { wireSet as set } from "../support/wire-resources.ts";
import { SotwDriver, sotwStreamWith as streamWith, subscribed } from "./driver.ts";

describe("lifecycle", () => {
  test("STR-03 a nonce of another type is no answer", () => {
    const stream = streamWith(set({ CDS: { a: "1" }, LDS: { l: "1" } }));
    stream.ask("CDS", []);
    stream.ask("LDS", []);
    stream.ask("LDS", [], { nonce: stream.nonce("CDS") });
    expect(stream.effects()).toEqual([]);
    expect(stream.state.types.LDS.awaited).toBe(true);
    expect(stream.state.types.CDS.awaited).toBe(true);
  });

  test("STR-04 nothing is sent of a type that was not asked for", () => {
    const stream = streamWith(set({ CDS: { a: "1" }, LDS: { l: "1" } }));
    expect(stream.sent()).toEqual([]);
    subscribed(stream, "LDS", ["l"]);
    stream.set(set({ CDS: { a: "2" }, EDS: { a: "2" }, LDS: { l: "1" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("STR-06 an empty type ends the stream; unknown ones are reported once and not answered", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    for (const url of ["type.googleapis.com/foo.Bar", "type.googleapis.com/foo.Bar"]) stream.askUrl(url);
    expect(stream.effects()).toEqual([{ do: "unknown-type", typeUrl: "type.googleapis.com/foo.Bar" }]);
    for (let i = 0; i < 100; i++) stream.askUrl(`type.googleapis.com/foo.Bar${i}`);
    expect(stream.effects()).toHaveLength(15);
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual(["CDS a=1"]);
    stream.askUrl("");
    expect(stream.effects()).toMatchObject([{ do: "end", status: "INVALID_ARGUMENT" }]);
  });

  test("STR-09 without a world the stream waits, then ends as unavailable", () => {
    const stream = new SotwDriver();
    stream.ask("CDS", []);
    stream.ask("EDS", ["a"]);
    expect(stream.sent()).toEqual([]);
    expect([...stream.timers]).toEqual(["world"]);
    stream.fire("world");
    expect(stream.effects()).toMatchObject([{ do: "end", status: "UNAVAILABLE" }]);
  });

  test("STR-09 the first world answers what was asked before it", () => {
    const stream = new SotwDriver();
    stream.ask("CDS", []);
    stream.ask("EDS", ["a"]);
    stream.set(set({ CDS: { a: "1" }, EDS: { a: "1" } }));
    expect(stream.sent()).toEqual(["CDS a=1", "EDS a=1"]);
    expect([...stream.timers]).toEqual(["ack/CDS", "ack/EDS"]);
  });

  test("too many names end the stream", () => {
    const stream = streamWith(set({}));
    const names = Array.from({ length: maxNamesPerRequest + 1 }, (_, i) => `e${i}`);
    stream.ask("RDS", names.slice(1));
    expect(stream.effects()).toEqual([]);
    stream.ask("EDS", names);
    expect(stream.effects()).toMatchObject([{ do: "end", status: "RESOURCE_EXHAUSTED" }]);
  });
});

describe("subscriptions", () => {
  test.each<[string, TypeName]>([
    ["SOT-01", "CDS"],
    ["SOT-01", "LDS"],
  ])("%s a change of one %s resource sends the whole set", (_, type) => {
    const stream = streamWith(set({ [type]: { a: "1", b: "1", c: "1" } }));
    subscribed(stream, type, []);
    stream.set(set({ [type]: { a: "1", b: "2", c: "1" } }));
    expect(stream.sent()).toEqual([`${type} a=1 b=2 c=1`]);
  });

  test("SOT-02 SOT-11 named clusters: all of them that exist, and no others", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "1", other: "1" } }));
    subscribed(stream, "CDS", ["a", "b", "missing"]);
    stream.set(set({ CDS: { a: "2", b: "1", other: "2" } }));
    expect(stream.sent()).toEqual(["CDS a=2 b=1"]);
    stream.ack("CDS");
    stream.set(set({ CDS: { a: "2", b: "1", other: "3" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("SOT-03 endpoints are sent one by one", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    subscribed(stream, "EDS", ["a", "b"]);
    stream.set(set({ EDS: { a: "2", b: "1" } }));
    expect(stream.sent()).toEqual(["EDS a=2"]);
  });

  test("SOT-04 a new name is answered although nothing changed", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    subscribed(stream, "EDS", ["a"]);
    stream.ack("EDS", ["a", "b"]);
    expect(stream.sent()).toEqual(["EDS b=1"]);
  });

  test("SOT-05 a dropped name is silent, and answered when it comes back", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    subscribed(stream, "EDS", ["a", "b"]);
    stream.ack("EDS", ["a"]);
    expect(stream.effects()).toEqual([{ do: "dropped", type: "EDS", names: ["b"] }]);
    stream.set(set({ EDS: { a: "1", b: "2" } }));
    expect(stream.sent()).toEqual([]);
    stream.ack("EDS", ["a", "b"]);
    expect(stream.sent()).toEqual(["EDS b=2"]);
    stream.ack("EDS", ["a"]);
    stream.ack("EDS", ["a", "b"]);
    expect(stream.sent()).toEqual(["EDS b=2"]);
  });

  test.each(resourceTypes.filter(({ wildcard }) => !wildcard).map(({ short }) => short))(
    "SOT-06 no names of %s mean nothing",
    (type) => {
      const stream = streamWith(set({ [type]: { a: "1" } }));
      stream.ask(type, []);
      stream.ask(type, ["*"]);
      stream.set(set({ [type]: { a: "2" } }));
      expect(stream.sent()).toEqual([]);
    },
  );

  test("SOT-07 a name that does not exist is sent when it does", () => {
    const stream = streamWith(set({}));
    stream.ask("RDS", ["x"]);
    expect(stream.sent()).toEqual([]);
    stream.set(set({ RDS: { x: "1" } }));
    expect(stream.sent()).toEqual(["RDS x=1"]);
  });

  test.each<TypeName>(["CDS", "LDS"])("SOT-08 the first request of %s is answered even if there is nothing", (type) => {
    const stream = streamWith(set({}));
    stream.ask(type, []);
    expect(stream.sent()).toEqual([type]);
    const named = streamWith(set({}));
    named.ask(type, ["x"]);
    expect(named.sent()).toEqual([`${type} !x`]);
  });

  test("SOT-09 removal is absence, down to the empty set", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "1" } }));
    subscribed(stream, "CDS", []);
    stream.set(set({ CDS: { b: "1" } }));
    expect(stream.sent()).toEqual(["CDS b=1"]);
    stream.ack("CDS");
    stream.set(set({}));
    expect(stream.sent()).toEqual(["CDS"]);
  });

  test("SOT-10 a name asked for twice is answered once", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a", "a", "x", "x"]);
    expect(stream.sent()).toEqual(["EDS a=1 x=absent"]);
  });

  test("SOT-12 only the changed type is sent", () => {
    const world = { CDS: { a: "1" }, EDS: { a: "1" }, LDS: { l: "1" }, RDS: { r: "1" } };
    const stream = streamWith(set(world));
    subscribed(stream, "CDS", []);
    subscribed(stream, "EDS", ["a"]);
    subscribed(stream, "LDS", []);
    subscribed(stream, "RDS", ["r"]);
    stream.set(set({ ...world, EDS: { a: "2" } }));
    expect(stream.sent()).toEqual(["EDS a=2"]);
    stream.set(set({ ...world, EDS: { a: "2" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("SOT-13 what changes during the wait for an ACK is one response", () => {
    const stream = streamWith(set({ EDS: { a: "0" } }));
    subscribed(stream, "EDS", ["a"]);
    for (let i = 1; i <= 200; i++) stream.set(set({ EDS: { a: String(i) } }));
    expect(stream.sent()).toEqual(["EDS a=1"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS a=200"]);
  });

  test("SOT-04 a new name that does not exist is answered with the whole set, which lacks it", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", ["a"]);
    stream.ack("CDS", ["a", "x"]);
    expect(stream.sent()).toEqual(["CDS a=1 !x"]);
  });

  test("SOT-10 gone and asked for again at once: answered once", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a", "b"]);
    stream.sent();
    stream.set(set({ EDS: { b: "2" } }));
    stream.ask("EDS", ["b"]);
    stream.ask("EDS", ["z", "b", "a"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS b=2 a=absent z=absent"]);
  });

  test("what does not exist is answered in the order of names", () => {
    const stream = streamWith(set({}));
    stream.ask("EDS", ["z", "a"]);
    expect(stream.sent()).toEqual(["EDS a=absent z=absent"]);
  });

  test("a version in an ACK makes nobody one who comes back", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a", "b"]);
    stream.ask("EDS", ["a", "b"], { nonce: stream.nonce("EDS"), version: "1" });
    stream.effects();
    stream.sent();
    stream.set(set({ EDS: { a: "2", b: "1" } }));
    expect([stream.sent(), stream.effects()]).toEqual([["EDS a=2"], []]);
  });

  test("ORD-05 endpoints that do not exist, or no longer, are answered as empty", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    subscribed(stream, "EDS", ["a", "nope"]);
    stream.set(set({}));
    expect(stream.sent()).toEqual(["EDS a=absent"]);
    stream.ack("EDS");
    stream.set(set({ EDS: { nope: "1" } }));
    expect(stream.sent()).toEqual(["EDS nope=1"]);
  });
});

describe("wildcard", () => {
  test("WLD-01 no names stay everything as long as no name was ever given", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", []);
    stream.ack("CDS", []);
    stream.set(set({ CDS: { a: "1", b: "1" } }));
    expect(stream.sent()).toEqual(["CDS a=1 b=1"]);
  });

  test("WLD-01 `*` alone is everything", () => {
    const stream = streamWith(set({ LDS: { a: "1", b: "1" } }));
    stream.ask("LDS", ["*"]);
    expect(stream.sent()).toEqual(["LDS a=1 b=1"]);
  });

  test("WLD-03 `*` after no names at all, and dropped again: nothing", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", []);
    stream.ack("CDS", ["*"]);
    expect(stream.sent()).toEqual([]);
    stream.ack("CDS", []);
    expect(stream.effects()).toEqual([{ do: "dropped", type: "CDS", names: ["a"] }]);
    stream.set(set({ CDS: { a: "2" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("WLD-03 `*` dropped leaves the names, and no names then are nothing", () => {
    const stream = streamWith(set({ CDS: { A: "1", B: "1" } }));
    subscribed(stream, "CDS", []);
    stream.ack("CDS", ["*", "A"]);
    expect(stream.sent()).toEqual(["CDS A=1 B=1"]);
    stream.ack("CDS");
    stream.effects();
    stream.ack("CDS", ["A"]);
    expect(stream.effects()).toEqual([{ do: "dropped", type: "CDS", names: ["B"] }]);
    stream.set(set({ CDS: { A: "1", B: "2" } }));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ CDS: { A: "2", B: "2" } }));
    expect(stream.sent()).toEqual(["CDS A=2"]);
    stream.ack("CDS", []);
    stream.set(set({ CDS: { A: "3", B: "3" } }));
    expect(stream.sent()).toEqual([]);
    stream.ask("CDS", ["*"]);
    expect(stream.sent()).toEqual(["CDS A=3 B=3"]);
  });
});
