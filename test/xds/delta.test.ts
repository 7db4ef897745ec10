import { describe, expect, test } from "vitest";
import { maxNamesPerRequest } from "../../src/envoy/discovery-request.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { wireSet as set } from "../support/wire-resources.ts";
import { DeltaDriver, deltaStreamWith as streamWith, subscribed } from "./driver.ts";

describe("a name that is asked for while an answer is on its way", () => {
  const most = (start: string) => Array.from({ length: maxNamesPerRequest - 1 }, (_, i) => `${start}${i}`);
  const ends = (stream: DeltaDriver) => stream.effects().filter((effect) => effect.do === "end");

  test("is answered after it, together with endpoints that a changed cluster waits for", () => {
    const world = { CDS: { a: "1", b: "1" }, EDS: { a: "1", b: "1" } };
    const stream = streamWith(set(world));
    subscribed(stream, "CDS", ["*"]);
    subscribed(stream, "EDS", ["a", "b"]);
    stream.set(set({ ...world, EDS: { a: "2", b: "1" } }));
    expect(stream.sent()).toEqual(["EDS a=2"]);
    stream.ask("EDS", ["b"]);
    stream.set(set({ CDS: { a: "2", b: "1" }, EDS: { a: "2", b: "1" } }));
    expect(stream.sent()).toEqual(["CDS a=2"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS a=2 b=1"]);
  });

  test("is forgotten with its subscription: names that come and go do not add up", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a"]);
    stream.ask("EDS", most("x"));
    stream.ask(
      "EDS",
      most("x").map((name) => `-${name}`),
    );
    stream.ask("EDS", most("y"));
    expect(ends(stream)).toEqual([]);
  });

  test("adds up with those that were answered before", () => {
    const stream = streamWith(set({ EDS: {} }));
    stream.ask("EDS", most("x"));
    stream.ack("EDS", most("y"));
    expect(ends(stream)).toEqual([expect.objectContaining({ status: "RESOURCE_EXHAUSTED" })]);
  });
});

describe("wildcard", () => {
  test("WLD-02 `*` and a name; a name that does not exist is said to be removed", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", ["*", "z"]);
    expect(stream.sent()).toEqual(["CDS a=1 -z"]);
  });

  test("WLD-04 nothing at all in the first message is everything; the four steps", () => {
    const stream = streamWith(set({ CDS: { A: "1", B: "1" } }));
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual(["CDS A=1 B=1"]);
    stream.ack("CDS", ["A"]);
    expect(stream.sent()).toEqual(["CDS A=1"]);
    stream.ack("CDS");
    stream.effects();
    stream.ask("CDS", ["-*"]);
    expect(stream.effects()).toEqual([{ do: "dropped", type: "CDS", names: ["B"] }]);
    stream.set(set({ CDS: { A: "1", B: "2" } }));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ CDS: { A: "2", B: "2" } }));
    expect(stream.sent()).toEqual(["CDS A=2"]);
    stream.ack("CDS", ["-A"]);
    stream.set(set({ CDS: { A: "3", B: "3" } }));
    expect(stream.sent()).toEqual([]);
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual([]);
  });

  test("WLD-04 a first message without names means nothing for endpoints", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", []);
    stream.ask("EDS", ["*"]);
    expect(stream.sent()).toEqual([]);
  });

  test("a wildcard that comes later, or again, is answered with what the proxy has not, or all", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "1" } }));
    subscribed(stream, "CDS", ["a"]);
    stream.ask("CDS", ["*"]);
    expect(stream.sent()).toEqual(["CDS b=1"]);
    stream.ack("CDS");
    stream.ask("CDS", ["*"]);
    expect(stream.sent()).toEqual(["CDS a=1 b=1"]);
  });

  test("a wildcard is answered when it comes, though there is nothing to say", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", ["a"]);
    stream.ask("CDS", ["*"]);
    expect(stream.sent()).toEqual(["CDS"]);
    const empty = streamWith(set({}));
    subscribed(empty, "CDS", []);
    empty.ask("CDS", ["*"]);
    expect(empty.sent()).toEqual(["CDS"]);
  });

  test("DEL-04 a name that was never subscribed to is ignored under the wildcard too", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", []);
    stream.ask("CDS", ["-a", "-never"]);
    expect(stream.sent()).toEqual([]);
  });

  test("DEL-04 a name unsubscribed in the first message is ignored", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", ["*", "-a", "-never"]);
    expect(stream.sent()).toEqual(["CDS a=1"]);
    stream.ack("CDS");
    expect(stream.sent()).toEqual([]);
  });

  test("DEL-05 a name unsubscribed under the wildcard is answered", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", ["*", "a", "z"]);
    stream.ask("CDS", ["-a"]);
    expect(stream.sent()).toEqual(["CDS a=1"]);
    stream.ack("CDS", ["-z"]);
    expect(stream.sent()).toEqual(["CDS -z"]);
  });

  test("DEL-12 the first wildcard message is answered even with nothing to say", () => {
    const stream = streamWith(set({}));
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual(["CDS"]);
  });
});

describe("changes", () => {
  test("DEL-02 only what changed is sent", () => {
    const all = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, "1"]));
    const stream = streamWith(set({ CDS: all }));
    subscribed(stream, "CDS", []);
    stream.set(set({ CDS: { ...all, c7: "2" } }));
    expect(stream.sent()).toEqual(["CDS c7=2"]);
    expect(stream.effects()).toEqual([]);
  });

  test("DEL-02 DEL-03 a new name brings no other, and a name asked for again comes again", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    subscribed(stream, "EDS", ["a"]);
    stream.ask("EDS", ["b"]);
    expect(stream.sent()).toEqual(["EDS b=1"]);
    stream.ack("EDS", ["a"]);
    expect(stream.sent()).toEqual(["EDS a=1"]);
  });

  test("DEL-04 unsubscribing is silent; an unknown name does no harm", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    subscribed(stream, "EDS", ["a"]);
    stream.ask("EDS", ["-a", "-never"]);
    expect(stream.effects()).toEqual([{ do: "dropped", type: "EDS", names: ["a"] }]);
    stream.set(set({ EDS: { a: "2" } }));
    expect(stream.sent()).toEqual([]);
  });

  test("DEL-06 a name that does not exist is answered at once, and sent when it does", () => {
    const stream = streamWith(set({}));
    stream.ask("EDS", ["x"]);
    expect(stream.sent()).toEqual(["EDS -x"]);
    stream.ack("EDS");
    stream.set(set({ EDS: { x: "1" } }));
    expect(stream.sent()).toEqual(["EDS x=1"]);
  });

  test("DEL-07 a deletion is said once, and the name stays subscribed", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    subscribed(stream, "EDS", ["a"]);
    stream.set(set({}));
    expect(stream.sent()).toEqual(["EDS -a"]);
    stream.ack("EDS");
    stream.set(set({}));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ EDS: { a: "1" } }));
    expect(stream.sent()).toEqual(["EDS a=1"]);
  });

  test("DEL-07 DEL-13 gone and back during the wait for an ACK is one update", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a"]);
    stream.set(set({}));
    stream.set(set({ EDS: { a: "2" } }));
    stream.sent();
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS a=2"]);
  });

  test("what changed and what was asked for again are one list in the order of names", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1", c: "1" } }));
    subscribed(stream, "EDS", ["b", "c"]);
    stream.event({ on: "room", room: false });
    stream.set(set({ EDS: { a: "1", b: "2", c: "1" } }));
    stream.ask("EDS", ["c", "a"]);
    stream.event({ on: "room", room: true });
    expect(stream.sent()).toEqual(["EDS a=1 b=2 c=1"]);
  });

  test("DEL-13 gone and asked for again at once: said once", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a", "b"]);
    stream.sent();
    stream.set(set({ EDS: { b: "1" } }));
    stream.ask("EDS", ["z", "a"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS -a -z"]);
  });

  test.each([
    ["a message without a nonce", ""],
    ["a stale message", "n0"],
  ])("DEL-08 names count in %s", (_, nonce) => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a"]);
    stream.ask("EDS", ["b"], {}, { nonce });
    expect(stream.sent()).toEqual(["EDS a=1"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS b=1"]);
  });

  test("DEL-08 names count in an ACK and in a NACK", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1", c: "1" } }));
    stream.ask("EDS", ["a"]);
    stream.ack("EDS", ["b"]);
    expect(stream.sent()).toEqual(["EDS a=1", "EDS b=1"]);
    stream.nack("EDS", "bad", ["c"]);
    expect(stream.sent()).toEqual(["EDS c=1"]);
  });

  test("DEL-09 a refused version is not sent again, the next one is", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "1" } }));
    subscribed(stream, "CDS", []);
    stream.set(set({ CDS: { a: "2", b: "2" } }));
    expect(stream.sent()).toEqual(["CDS a=2 b=2"]);
    stream.nack("CDS");
    expect(stream.sent()).toEqual(["CDS a=2"]);
    stream.nack("CDS");
    expect(stream.sent()).toEqual(["CDS b=2"]);
    stream.ack("CDS");
    stream.set(set({ CDS: { a: "2", b: "2" } }));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ CDS: { a: "3", b: "2" } }));
    expect(stream.sent()).toEqual(["CDS a=3"]);
  });

  test("DEL-14 a name in both lists ends up unsubscribed", () => {
    const stream = streamWith(set({ CDS: { a: "1" }, EDS: { a: "1" } }));
    stream.ask("EDS", ["a", "-a"]);
    stream.ask("CDS", ["*", "-*"]);
    expect(stream.sent()).toEqual([]);
    stream.ask("EDS", ["a"]);
    expect(stream.sent()).toEqual(["EDS a=1"]);
  });

  test("ACK-07 a message without a nonce is no ACK", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a"]);
    stream.ask("EDS", ["b"]);
    expect(stream.effects()).toEqual([]);
    expect(stream.state.types.EDS.awaited).toBe(true);
  });
});

describe("reconnect", () => {
  test("DEL-10 what is equal is skipped, what differs is sent, what is gone is said", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "2" } }));
    stream.ask("CDS", ["*"], { a: "1", b: "1", c: "1" });
    expect(stream.sent()).toEqual(["CDS b=2"]);
    const resources = ["a", "c"].map((name) => ({ name, version: "1" }));
    expect(stream.effects()).toEqual([{ do: "resumed", type: "CDS", resources }]);
    stream.ack("CDS");
    expect(stream.sent()).toEqual([]);
    stream.fire("grace/CDS");
    expect(stream.sent()).toEqual(["CDS -c"]);
  });

  test.each<TypeName>(["CDS", "LDS"])("DEL-12 %s with all versions equal: an answer without resources", (type) => {
    const stream = streamWith(set({ [type]: { a: "1", b: "1" } }));
    stream.ask(type, [], { a: "1", b: "1" });
    expect(stream.sent()).toEqual([type]);
    stream.ack(type);
    stream.set(set({ [type]: { a: "1", b: "2" } }));
    expect(stream.sent()).toEqual([`${type} b=2`]);
  });

  test("DEL-10 equal endpoints are skipped if their cluster was not sent again", () => {
    const stream = streamWith(set({ CDS: { a: "1", b: "1" }, EDS: { a: "1", b: "1" } }));
    stream.ask("CDS", ["*"], { a: "1" });
    expect(stream.sent()).toEqual(["CDS b=1"]);
    stream.ask("EDS", ["a", "b"], { a: "1", b: "1" });
    expect(stream.sent()).toEqual(["EDS b=1"]);
    expect(stream.effects()).toMatchObject([
      { type: "CDS" },
      { do: "resumed", type: "EDS", resources: [{ name: "a", version: "1" }] },
    ]);
  });

  test("DEL-10 asked for before clusters, endpoints are sent again: a cluster waits for them", () => {
    const stream = streamWith(set({ CDS: { a: "1" }, EDS: { a: "1", b: "1" } }));
    stream.ask("EDS", ["a", "b"], { a: "1", b: "1" });
    expect(stream.sent()).toEqual(["EDS a=1 b=1"]);
  });

  test("DEL-10 equal routes are skipped; of those that are gone it is told when listeners have left them", () => {
    const stream = streamWith(set({ LDS: { l: "1" }, RDS: { r: "1" } }));
    stream.ask("LDS", ["*"], { l: "1" });
    stream.ask("RDS", ["r", "gone"], { r: "1", gone: "1" });
    expect(stream.sent()).toEqual(["LDS"]);
    stream.ack("LDS");
    stream.fire("grace/RDS");
    expect(stream.sent()).toEqual(["RDS -gone"]);
  });

  test("DEL-10 secrets are always sent again", () => {
    const stream = streamWith(set({ SDS: { s: "1" } }));
    stream.ask("SDS", ["s"], { s: "1" });
    expect(stream.sent()).toEqual(["SDS s=1"]);
    expect(stream.effects()).toEqual([]);
  });

  test("DEL-10 what is gone at once is not taken for held", () => {
    const stream = streamWith(set({ LDS: { l: "1" } }));
    stream.ask("LDS", ["*"], { gone: "1", l: "1" });
    expect(stream.sent()).toEqual(["LDS -gone"]);
    expect(stream.effects()).toEqual([{ do: "resumed", type: "LDS", resources: [{ name: "l", version: "1" }] }]);
  });

  test("DEL-10 compares with the first world, when it comes", () => {
    const stream = new DeltaDriver();
    stream.ask("CDS", ["*"], { a: "1", b: "1" });
    stream.set(set({ CDS: { a: "1", b: "2" } }));
    expect(stream.sent()).toEqual(["CDS b=2"]);
  });

  test("DEL-11 known versions are no subscription, and count in the first message only", () => {
    const stream = streamWith(set({ RDS: { a: "1", b: "1", c: "1" } }));
    stream.ask("RDS", ["a"], { a: "1", b: "1" });
    expect(stream.sent()).toEqual([]);
    expect(stream.effects()).toEqual([{ do: "resumed", type: "RDS", resources: [{ name: "a", version: "1" }] }]);
    stream.set(set({ RDS: { a: "1", b: "2", c: "1" } }));
    expect(stream.sent()).toEqual([]);
    stream.ask("RDS", ["c"], { c: "1" });
    expect(stream.sent()).toEqual(["RDS c=1"]);
  });

  test("REC-04 a name whose parent is gone is answered, and nothing comes of it", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", ["*"], { a: "1" });
    stream.ask("EDS", ["gone"], { gone: "1" });
    expect(stream.sent()).toEqual(["CDS"]);
    stream.ack("CDS");
    stream.fire("grace/EDS");
    expect(stream.sent()).toEqual(["EDS -gone"]);
  });
});
