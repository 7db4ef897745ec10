import { describe, expect, test } from "vitest";
import { wireSet as set } from "../support/wire-resources.ts";
import { SotwDriver, sotwStreamWith as streamWith, subscribed } from "./driver.ts";

/* What a request answers, and what follows from it; told by the state-of-the-world variant, which asks and answers in one. */

describe("nonce, ACK, NACK", () => {
  test("ACK-01 a nonce of an earlier stream makes no answer", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", [], { nonce: "old" });
    expect(stream.sent()).toEqual(["CDS a=1"]);
    expect(stream.effects()).toEqual([]);
  });

  test("ACK-02 a plain ACK is not answered, and counted once", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", []);
    const nonce = stream.nonce("CDS");
    stream.sent();
    stream.ack("CDS");
    stream.ack("CDS");
    expect(stream.sent()).toEqual([]);
    expect(stream.effects()).toEqual([{ do: "accepted", type: "CDS", nonce }]);
  });

  test("ACK-04 after a NACK there is silence until the content changes", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    subscribed(stream, "CDS", []);
    stream.set(set({ CDS: { a: "2" } }));
    stream.sent();
    const nonce = stream.nonce("CDS");
    for (let i = 0; i < 100; i++) stream.nack("CDS", "no good");
    expect(stream.effects()).toEqual([{ do: "refused", type: "CDS", nonce, reason: "no good" }]);
    stream.set(set({ CDS: { a: "2" } }));
    expect(stream.sent()).toEqual([]);
    stream.set(set({ CDS: { a: "3" } }));
    expect(stream.sent()).toEqual(["CDS a=3"]);
  });

  test("ACK-05 the names of a NACK count, also of one repeated with an old nonce", () => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1", c: "1" } }));
    stream.ask("EDS", ["a"]);
    const first = { nonce: stream.nonce("EDS"), error: "bad" };
    stream.sent();
    stream.ask("EDS", ["a", "b"], first);
    expect(stream.sent()).toEqual(["EDS b=1"]);
    stream.ask("EDS", ["a", "b", "c"], first);
    expect(stream.sent()).toEqual([]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS c=1"]);
    stream.ack("EDS", ["a"]);
    stream.set(set({ EDS: { a: "1", b: "2", c: "2" } }));
    expect(stream.sent()).toEqual([]);
  });

  test.each([
    ["and b is still asked for with the ACK", ["a", "b"], ["EDS b=1"]],
    ["and b is no longer asked for", ["a"], []],
  ])("ACK-06 a stale request is not answered by itself, %s", (_, names, want) => {
    const stream = streamWith(set({ EDS: { a: "1", b: "1" } }));
    subscribed(stream, "EDS", ["a"]);
    const stale = stream.nonce("EDS");
    stream.set(set({ EDS: { a: "2", b: "1" } }));
    expect(stream.sent()).toEqual(["EDS a=2"]);
    stream.ask("EDS", ["a", "b"], { nonce: stale });
    expect(stream.sent()).toEqual([]);
    stream.ack("EDS", names);
    expect(stream.sent()).toEqual(want);
    stream.ack("EDS", names);
    expect(stream.sent()).toEqual([]);
  });

  test("ACK-07 an older nonce is not the answer to the newer response", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a"]);
    const older = stream.nonce("EDS");
    stream.fire("ack/EDS");
    stream.set(set({ EDS: { a: "2" } }));
    stream.ask("EDS", ["a"], { nonce: older });
    expect(stream.effects()).toMatchObject([{ do: "accepted", nonce: older }]);
    expect(stream.state.types.EDS.awaited).toBe(true);
    stream.ack("EDS");
    expect(stream.state.types.EDS.awaited).toBe(false);
  });

  test("ACK-07 a refusal of an older response is not the answer to the newer one", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a"]);
    const older = stream.nonce("EDS");
    stream.fire("ack/EDS");
    stream.set(set({ EDS: { a: "2" } }));
    stream.ask("EDS", ["a"], { nonce: older, error: "bad" });
    stream.set(set({ EDS: { a: "3" } }));
    expect(stream.sent()).toEqual(["EDS a=1", "EDS a=2"]);
    stream.ack("EDS");
    expect(stream.sent()).toEqual(["EDS a=3"]);
  });

  test("what was answered is kept no longer, and may be answered before it is known to have left", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.reading = false;
    stream.ask("CDS", []);
    stream.ack("CDS");
    stream.event({ on: "written", type: "CDS", nonce: stream.nonce("CDS") });
    expect(stream.state.types.CDS).toMatchObject({ sending: [], unanswered: [], awaited: false });
    expect([...stream.timers]).toEqual([]);
  });

  test("what is asked for is told when it changes, and only then", () => {
    const stream = streamWith(set({ EDS: { a: "1" } }));
    stream.ask("EDS", ["a"]);
    expect(stream.subscriptions.get("EDS")?.names).toEqual(new Set(["a"]));
    stream.subscriptions.clear();
    stream.ack("EDS");
    expect([...stream.subscriptions]).toEqual([]);
    stream.ask("EDS", ["a", "b"]);
    expect(stream.subscriptions.get("EDS")?.names).toEqual(new Set(["a", "b"]));
  });

  test("ACK-08 one response at a time, the latest wins, and the wait has an end", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.ask("CDS", []);
    expect(stream.sent()).toEqual(["CDS a=1"]);
    stream.set(set({ CDS: { a: "2" } }));
    stream.set(set({ CDS: { a: "3" } }));
    expect(stream.sent()).toEqual([]);
    stream.fire("ack/CDS");
    expect(stream.sent()).toEqual(["CDS a=3"]);
  });

  test("ACK-08 the wait begins when the bytes have left", () => {
    const stream = streamWith(set({ CDS: { a: "1" } }));
    stream.reading = false;
    stream.ask("CDS", []);
    expect([...stream.timers]).toEqual([]);
    stream.event({ on: "written", type: "CDS", nonce: "another" });
    expect([...stream.timers]).toEqual([]);
    stream.event({ on: "written", type: "CDS", nonce: stream.nonce("CDS") });
    expect([...stream.timers]).toEqual(["ack/CDS"]);
    stream.ack("CDS");
    expect([...stream.timers]).toEqual([]);
  });

  test("ACK-09 an empty nonce in mid-stream changes the subscription", () => {
    const stream = streamWith(set({ RDS: { a: "1" } }));
    stream.ask("RDS", ["a"]);
    stream.ack("RDS", []);
    stream.sent();
    stream.ask("RDS", ["a"]);
    expect(stream.sent()).toEqual(["RDS a=1"]);
    stream.ack("RDS");
    stream.ask("RDS", ["a"]);
    expect(stream.sent()).toEqual([]);
  });

  test("ACK-09 growing names before the first response are all answered", () => {
    const stream = new SotwDriver();
    stream.ask("EDS", ["a"]);
    stream.ask("EDS", ["a", "b"]);
    stream.set(set({ EDS: { a: "1", b: "1" } }));
    expect(stream.sent()).toEqual(["EDS a=1 b=1"]);
  });

  test("unanswered responses do not pile up", () => {
    const stream = streamWith(set({ CDS: { a: "0" } }));
    stream.ask("CDS", []);
    for (let i = 1; i < 100; i++) {
      stream.fire("ack/CDS");
      stream.set(set({ CDS: { a: String(i) } }));
    }
    expect(stream.state.types.CDS.unanswered).toHaveLength(8);
  });
});
