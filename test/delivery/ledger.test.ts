import { describe, expect, test } from "vitest";
import { createMetrics } from "../../src/base/metrics.ts";
import type { SentResource } from "../../src/delivery/history.ts";
import { createLedger, type Ledger, type LedgerEvent } from "../../src/delivery/ledger.ts";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { parseProxyNode } from "../../src/model/proxy.ts";
import type { DeliveryRecorder } from "../../src/xds/ports.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";

const nodeOf = (name: string) =>
  parseProxyNode({
    id: `sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`,
    metadata: {},
    locality: { region: "", zone: "", subzone: "" },
    client: { name: "envoy", version: "1.40.0" },
  });
const web = nodeOf("web-1");

interface Bench {
  readonly ledger: Ledger;
  readonly clock: FakeClock;
  readonly events: readonly LedgerEvent[];
  readonly expose: () => Promise<string>;
}

function start(limits: { readonly keepMs?: number; readonly keepCount?: number } = {}): Bench {
  const clock = createFakeClock(0);
  const metrics = createMetrics();
  const ledger = createLedger({ clock, metrics, ...limits });
  const events: LedgerEvent[] = [];
  ledger.subscribe((event) => events.push(event));
  return { ledger, clock, events, expose: async () => (await metrics.expose()).text };
}

const open = (ledger: Ledger, stream: string, node = web, variant: "sotw" | "delta" = "delta"): void =>
  ledger.opened({ stream, node, variant, peer: "127.0.0.1:9" });

/** `a=1` is a resource, `-a` a removal. */
const list = (...texts: readonly string[]): readonly SentResource[] =>
  texts.map((text) => {
    const [name = "", version = ""] = text.split("=");
    return name.startsWith("-") ? { name: name.slice(1) } : { name, version };
  });

const statuses = (ledger: Ledger, id = web.id): Record<string, string> =>
  Object.fromEntries(ledger.resourcesOf(id)?.map(({ type, name, status }) => [`${type} ${name}`, status]) ?? []);

const summary = (ledger: Ledger, type: TypeName) => ledger.proxies()[0]?.types[type];

test("it is what the wire writes to", () => {
  const recorder: DeliveryRecorder = start().ledger;
  expect(recorder).toBeDefined();
});

describe("one stream", () => {
  test("sent, accepted, changed, refused, accepted again", () => {
    const { ledger, clock } = start();
    open(ledger, "s");
    clock.advance(10);
    ledger.sent("s", "CDS", "n1", list("a=1", "b=1"));
    expect(statuses(ledger)).toEqual({ "CDS a": "pending", "CDS b": "pending" });
    expect(summary(ledger, "CDS")).toEqual({ resources: 2, pending: 2, refused: 0 });
    clock.advance(5);
    ledger.accepted("s", "CDS", "n1");
    expect(summary(ledger, "CDS")).toEqual({ resources: 2, pending: 0, refused: 0, lastAckAtMs: 15 });
    ledger.sent("s", "CDS", "n2", list("a=2"));
    clock.advance(5);
    ledger.refused("s", "CDS", "n2", "no good");
    expect(ledger.resourcesOf(web.id)).toEqual([
      {
        type: "CDS",
        name: "a",
        status: "refused",
        leaving: false,
        sent: { version: "2", atMs: 15 },
        accepted: { version: "1", atMs: 15 },
        refused: { version: "2", atMs: 20, reason: "no good", suspect: true },
      },
      {
        type: "CDS",
        name: "b",
        status: "accepted",
        leaving: false,
        sent: { version: "1", atMs: 10 },
        accepted: { version: "1", atMs: 15 },
      },
    ]);
    expect(summary(ledger, "CDS")).toMatchObject({ resources: 2, pending: 0, refused: 1, lastAckAtMs: 15 });
    ledger.sent("s", "CDS", "n3", list("a=3"));
    ledger.accepted("s", "CDS", "n3");
    expect(ledger.resourcesOf(web.id)?.[0]).toEqual({
      type: "CDS",
      name: "a",
      status: "accepted",
      leaving: false,
      sent: { version: "3", atMs: 20 },
      accepted: { version: "3", atMs: 20 },
    });
  });

  test("ACK-07 an answer to an older response says nothing of the newer one", () => {
    const { ledger } = start();
    open(ledger, "s");
    ledger.sent("s", "EDS", "n1", list("a=1"));
    ledger.sent("s", "EDS", "n2", list("a=2", "b=1"));
    ledger.accepted("s", "EDS", "n1");
    expect(statuses(ledger)).toEqual({ "EDS a": "pending", "EDS b": "pending" });
    ledger.accepted("s", "EDS", "n2");
    expect(statuses(ledger)).toEqual({ "EDS a": "accepted", "EDS b": "accepted" });
  });

  test("a removal is kept until it is accepted", () => {
    const { ledger } = start();
    open(ledger, "s");
    ledger.sent("s", "CDS", "n1", list("a=1", "-never"));
    ledger.accepted("s", "CDS", "n1");
    ledger.sent("s", "CDS", "n2", list("-a"));
    expect(statuses(ledger)).toEqual({ "CDS a": "pending" });
    ledger.accepted("s", "CDS", "n2");
    expect(statuses(ledger)).toEqual({});
  });

  test("gone and back before the answer: it is back", () => {
    const { ledger } = start();
    open(ledger, "s");
    ledger.sent("s", "CDS", "n1", list("a=1"));
    ledger.sent("s", "CDS", "n2", list("-a"));
    ledger.sent("s", "CDS", "n3", list("a=2"));
    ledger.accepted("s", "CDS", "n2");
    expect(statuses(ledger)).toEqual({ "CDS a": "pending" });
  });

  test("what was resumed is accepted, what was dropped is forgotten", () => {
    const { ledger } = start();
    open(ledger, "s");
    ledger.resumed("s", "LDS", list("l=1"));
    ledger.sent("s", "RDS", "n1", list("r=1", "q=1"));
    ledger.dropped("s", "RDS", ["q"]);
    ledger.accepted("s", "RDS", "n1");
    ledger.dropped("s", "EDS", ["x"]);
    expect(statuses(ledger)).toEqual({ "LDS l": "accepted", "RDS r": "accepted" });
  });

  test("in the other variant, absence from the whole set is removal; from endpoints it is nothing", () => {
    const { ledger } = start();
    open(ledger, "s", web, "sotw");
    ledger.sent("s", "CDS", "n1", list("a=1", "b=1"));
    ledger.sent("s", "EDS", "n2", list("a=1", "b=1"));
    ledger.accepted("s", "CDS", "n1");
    ledger.accepted("s", "EDS", "n2");
    ledger.sent("s", "CDS", "n3", list("a=1"));
    ledger.sent("s", "EDS", "n4", list("a=2"));
    expect(statuses(ledger)).toEqual({
      "CDS a": "accepted",
      "CDS b": "pending",
      "EDS a": "pending",
      "EDS b": "accepted",
    });
    ledger.accepted("s", "CDS", "n3");
    expect(statuses(ledger)).not.toHaveProperty("CDS b");
  });

  test("a refusal marks the whole response and counts the suspects", () => {
    const { ledger, events } = start();
    open(ledger, "s", web, "sotw");
    ledger.sent("s", "CDS", "n1", list("a=1", "b=1", "c=1"));
    ledger.accepted("s", "CDS", "n1");
    ledger.sent("s", "CDS", "n2", list("a=1", "b=2", "c=2"));
    ledger.refused("s", "CDS", "n2", "Error adding/updating cluster(s) c: bad");
    expect(statuses(ledger)).toEqual({ "CDS a": "refused", "CDS b": "refused", "CDS c": "refused" });
    expect(summary(ledger, "CDS")).toMatchObject({ resources: 3, refused: 1 });
    expect(events.at(-1)).toMatchObject({ on: "refused", type: "CDS", suspects: ["c"] });
    ledger.sent("s", "CDS", "n3", list("a=1", "b=3", "c=2"));
    ledger.refused("s", "CDS", "n3", "something else");
    expect(events.at(-1)).toMatchObject({ on: "refused", suspects: ["b", "c"] });
  });

  test("answers to nothing known, and messages of unknown streams, do nothing", () => {
    const { ledger, events } = start();
    ledger.sent("x", "CDS", "n", list("a=1"));
    ledger.accepted("x", "CDS", "n");
    ledger.closed("x");
    open(ledger, "s");
    ledger.accepted("s", "CDS", "n");
    ledger.refused("s", "CDS", "n", "bad");
    expect(events.map(({ on }) => on)).toEqual(["connected"]);
    expect(ledger.resourcesOf("x")).toBeUndefined();
  });

  test("a proxy that never answers does not make it grow", () => {
    const { ledger, events } = start();
    open(ledger, "s");
    for (let i = 0; i < 100; i++) ledger.sent("s", "CDS", `n${i}`, list(`a=${i}`));
    ledger.accepted("s", "CDS", "n0");
    expect(events.map(({ on }) => on)).toEqual(["connected"]);
    ledger.accepted("s", "CDS", "n99");
    expect(statuses(ledger)).toEqual({ "CDS a": "accepted" });
  });
});

describe("proxies", () => {
  test("connected since, streams, and the client, by id", () => {
    const { ledger, clock } = start();
    clock.advance(100);
    open(ledger, "s1");
    clock.advance(100);
    open(ledger, "s2");
    open(ledger, "s3", nodeOf("api-1"));
    expect(ledger.proxies()).toEqual([
      { node: nodeOf("api-1"), streams: 1, connectedSinceMs: 200, types: {} },
      { node: web, streams: 2, connectedSinceMs: 100, types: {} },
    ]);
    ledger.closed("s1");
    expect(ledger.proxies()[1]).toMatchObject({ streams: 1, connectedSinceMs: 200 });
    clock.advance(50);
    ledger.closed("s2");
    expect(ledger.proxies()[1]).toEqual({ node: web, streams: 0, disconnectedAtMs: 250, types: {} });
  });

  test("STR-08 of two streams the newer one counts, and closing one leaves the other's record", () => {
    const { ledger } = start();
    open(ledger, "s1");
    ledger.sent("s1", "CDS", "n1", list("a=1", "b=1"));
    ledger.accepted("s1", "CDS", "n1");
    open(ledger, "s2");
    ledger.sent("s2", "CDS", "n2", list("a=2"));
    expect(statuses(ledger)).toEqual({ "CDS a": "pending", "CDS b": "accepted" });
    ledger.closed("s1");
    expect(statuses(ledger)).toEqual({ "CDS a": "pending" });
  });

  test("a proxy that left can be read, and begins anew when it comes back", () => {
    const { ledger } = start();
    open(ledger, "s1");
    ledger.sent("s1", "CDS", "n1", list("a=1"));
    ledger.accepted("s1", "CDS", "n1");
    ledger.closed("s1");
    expect(statuses(ledger)).toEqual({ "CDS a": "accepted" });
    open(ledger, "s2");
    expect(statuses(ledger)).toEqual({});
    expect(ledger.proxies()).toHaveLength(1);
  });

  test("those that left are forgotten after a while, the first ones sooner when there are many", async () => {
    const { ledger, clock, expose } = start({ keepMs: 1_000, keepCount: 2 });
    for (const name of ["a", "b", "c"]) {
      open(ledger, name, nodeOf(name));
      ledger.closed(name);
      clock.advance(100);
    }
    expect(ledger.proxies().map(({ node }) => node.name)).toEqual(["b", "c"]);
    expect(await expose()).toContain('fairway_ledger_proxies{state="disconnected"} 2\n');
    clock.advance(850);
    expect(ledger.proxies().map(({ node }) => node.name)).toEqual(["c"]);
    clock.advance(1_000);
    expect(ledger.resourcesOf(nodeOf("c").id)).toBeUndefined();
  });
});

test("events, for people", () => {
  const { ledger, clock, events } = start();
  const late: LedgerEvent[] = [];
  const unsubscribe = ledger.subscribe((event) => late.push(event));
  open(ledger, "s");
  unsubscribe();
  ledger.sent("s", "CDS", "n1", list("a=1", "b=1"));
  ledger.accepted("s", "CDS", "n1");
  clock.advance(7);
  ledger.sent("s", "CDS", "n2", list("b=2", "-a"));
  ledger.accepted("s", "CDS", "n2");
  ledger.sent("s", "CDS", "n3", list("b=3"));
  ledger.refused("s", "CDS", "n3", "b is bad");
  ledger.closed("s");
  expect(events).toEqual([
    { on: "connected", atMs: 0, node: web, peer: "127.0.0.1:9" },
    { on: "accepted", atMs: 0, node: web, type: "CDS", changed: ["a", "b"] },
    { on: "accepted", atMs: 7, node: web, type: "CDS", changed: ["b", "a"] },
    { on: "refused", atMs: 7, node: web, type: "CDS", reason: "b is bad", suspects: ["b"] },
    { on: "disconnected", atMs: 7, node: web, streams: 0 },
  ]);
  expect(late).toEqual(events.slice(0, 1));
});

describe("what is asked for and not there", () => {
  const names = (...texts: readonly string[]): ReadonlySet<string> => new Set(texts);

  test("told when it is announced as removed, again not when it comes, and forgotten when it is not asked for", () => {
    const { ledger, clock } = start();
    open(ledger, "s");
    ledger.asked("s", "EDS", names("a", "x", "y"), false);
    expect(ledger.requestsOf(web.id)).toEqual([
      { type: "EDS", wildcard: false, absent: [{ name: "a" }, { name: "x" }, { name: "y" }] },
    ]);
    clock.advance(7);
    ledger.sent("s", "EDS", "n1", [...list("a=1", "-x"), { name: "y", error: true }, { name: "never asked" }]);
    expect(ledger.requestsOf(web.id)[0]?.absent).toEqual([
      { name: "x", told: { atMs: 7, error: false } },
      { name: "y", told: { atMs: 7, error: true } },
    ]);
    // Nothing that can be refused or accepted came of it.
    expect(statuses(ledger)).toEqual({ "EDS a": "pending" });
    ledger.sent("s", "EDS", "n2", list("x=1"));
    ledger.asked("s", "EDS", names("a", "x"), false);
    expect(ledger.requestsOf(web.id)[0]?.absent).toEqual([]);
    ledger.asked("s", "EDS", names("a", "x", "y"), false);
    expect(ledger.requestsOf(web.id)[0]?.absent).toEqual([{ name: "y" }]);
  });

  test("silence of a whole set says it too; a later name has not been answered yet", () => {
    const { ledger } = start();
    open(ledger, "s", web, "sotw");
    ledger.asked("s", "CDS", names("a", "x"), true);
    ledger.sent("s", "CDS", "n1", list("a=1"));
    ledger.asked("s", "CDS", names("a", "x", "y"), true);
    expect(ledger.requestsOf(web.id)).toEqual([
      { type: "CDS", wildcard: true, absent: [{ name: "x", told: { atMs: 0, error: false } }, { name: "y" }] },
    ]);
    ledger.asked("s", "RDS", names("r"), false);
    ledger.sent("s", "RDS", "n2", list());
    expect(ledger.requestsOf(web.id)[1]?.absent).toEqual([{ name: "r" }]);
    // Asking alone is no delivery.
    expect(summary(ledger, "RDS")).toEqual({ resources: 0, pending: 0, refused: 0 });
    expect(summary(ledger, "EDS")).toBeUndefined();
  });

  test("what one of several streams has is there; an ended stream asks for nothing", () => {
    const { ledger } = start();
    open(ledger, "s1");
    open(ledger, "s2");
    ledger.asked("s1", "EDS", names("a"), false);
    ledger.asked("s2", "EDS", names("a", "b"), false);
    ledger.sent("s1", "EDS", "n1", list("a=1"));
    expect(ledger.requestsOf(web.id)[0]?.absent).toEqual([{ name: "b" }]);
    ledger.closed("s2");
    expect(ledger.requestsOf(web.id)[0]?.absent).toEqual([]);
    ledger.closed("s1");
    expect(ledger.requestsOf(web.id)).toEqual([]);
    ledger.asked("s1", "EDS", names("a"), false);
    expect(ledger.requestsOf(web.id)).toEqual([]);
  });
});

test("when the newer of two streams ends, the proxy is as the older one says", () => {
  const { ledger } = start();
  const [older, newer] = [nodeOf("web-1"), nodeOf("web-1")];
  open(ledger, "s1", older);
  open(ledger, "s2", newer);
  expect(ledger.connected()[0]?.node).toBe(newer);
  ledger.closed("s2");
  expect(ledger.connected()[0]?.node).toBe(older);
});
