import { describe, expect, test } from "vitest";
import type { DeltaRequest } from "../../src/envoy/discovery-request.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { atRest } from "../../src/xds/at-rest.ts";
import { plainClient } from "../../src/xds/client-traits.ts";
import { stepDelta } from "../../src/xds/delta.ts";
import type { PushPlan } from "../../src/xds/push-plan.ts";
import { newRetries } from "../../src/xds/retries.ts";
import {
  newStream,
  type StreamEffect,
  type StreamEvent,
  type StreamState,
  type TypeState,
} from "../../src/xds/stream-state.ts";
import { wireSet } from "../support/wire-resources.ts";

type Event = StreamEvent<DeltaRequest>;

const request = (type: TypeName, fields: Partial<DeltaRequest> = {}): Event => ({
  on: "request",
  request: {
    typeUrl: resourceType(type).url,
    nonce: "",
    ...{ subscribe: [], unsubscribe: [], knownVersions: new Map() },
    ...fields,
  },
});

/* One object for one event, as sessions give them. */
const client: Event = { on: "client", traits: plainClient };
const [first, second] = [{ a: "1" }, { a: "2" }].map(
  (versions): Event => ({ on: "resources", resources: wireSet({ CDS: versions, EDS: versions, LDS: { l: "1" } }) }),
);
const asks = {
  CDS: request("CDS", { subscribe: ["*"] }),
  EDS: request("EDS", { subscribe: ["a"] }),
  LDS: request("LDS", { subscribe: ["*"] }),
};
const told = (nonce: string, type: "CDS" | "EDS" | "LDS") => ({
  sent: { on: "sent", type, nonce } satisfies Event,
  written: { on: "written", type, nonce } satisfies Event,
  ack: request(type, { nonce }),
});
const [cds, eds, lds] = [told("n1", "CDS"), told("n2", "EDS"), told("n3", "LDS")];
const start = [client, first, asks.CDS, cds.sent, asks.EDS, eds.sent, asks.LDS, lds.sent] as readonly Event[];

const run = (events: readonly Event[], from: StreamState = newStream()): StreamState =>
  events.reduce((state, event) => stepDelta(state, event)[0], from);

describe("streams that have the same and wait for nothing", () => {
  const inOrder = [...start, cds.written, eds.written, lds.written, cds.ack, eds.ack, lds.ack];
  const mixed = [...start, lds.written, lds.ack, cds.written, cds.ack, eds.written, eds.ack];

  test("are in one state, in whatever order they got there, and make their next step together", () => {
    const [one, other] = [run(inOrder), run(mixed)];
    expect(other).toBe(one);
    if (second === undefined) throw new Error("no second set");
    expect(stepDelta(other, second)).toBe(stepDelta(one, second));
    const sends = stepDelta(one, second)[1].filter((effect: StreamEffect) => effect.do === "send");
    expect(sends.map(({ type }) => type.short)).toEqual(["CDS", "EDS"]);
  });

  test("have forgotten what was refused, when it is gone", () => {
    const world = (versions: Record<string, string>): Event => ({
      on: "resources",
      resources: wireSet({ RDS: { a: "1", ...versions } }),
    });
    const [before, refused, after] = [world({ b: "1" }), world({ b: "2" }), world({})];
    const asked = [client, before, request("RDS", { subscribe: ["a", "b"] })];
    const sent = (nonce: string): readonly Event[] =>
      (["sent", "written"] as const).map((on) => ({ on, type: "RDS", nonce }));
    const ack = (nonce: string) => request("RDS", { nonce });
    const one = run([...asked, ...sent("r1"), ack("r1"), after, ...sent("r2"), ack("r2")]);
    const nack = request("RDS", { nonce: "r2", error: "no" });
    const other = run([
      ...[...asked, ...sent("r1"), ack("r1"), refused, ...sent("r2"), after],
      ...[nack, ...sent("r3"), ack("r3")],
    ]);
    expect(other).toBe(one);
  });

  test("are told apart by what they ask for, and by what they wait for", () => {
    const one = run(inOrder);
    const more = run([request("RDS", { subscribe: ["r"] })], one);
    expect(more).not.toBe(one);
    expect(more.types.RDS.subscription?.names).toEqual(new Set(["r"]));
    const waiting = run([...start, cds.written, cds.ack, eds.written, eds.ack]);
    expect(waiting).not.toBe(one);
    expect(waiting.types.LDS.unanswered).toHaveLength(1);
    const alone = run([client, first, asks.CDS].filter((event) => event !== undefined));
    expect(alone.types.EDS.subscription).toBeUndefined();
  });

  test("a refusal, a full connection and a type that nobody speaks are no rest", () => {
    const one = run(inOrder);
    const refusing = run([...inOrder.slice(0, -1), request("LDS", { nonce: "n3", error: "no" })]);
    expect([refusing === one, refusing.types.LDS.refused.size]).toEqual([false, 1]);
    const full = run([{ on: "room", room: false }], one);
    expect([full === one, full.room]).toEqual([false, false]);
    expect(run([{ on: "room", room: true }], full)).toBe(one);
    const unknown = run(
      [{ ...asks.CDS, request: { ...(asks.CDS as { request: DeltaRequest }).request, typeUrl: "x" } } as Event],
      one,
    );
    expect([unknown === one, unknown.unknownTypes.size]).toEqual([false, 1]);
  });
});

describe("a state that waits for anything is given back as it is", () => {
  const rest = run([...start, cds.written, eds.written, lds.written, cds.ack, eds.ack, lds.ack]);
  const { plan } = rest;
  if (plan === undefined) throw new Error("no plan");
  const [cluster] = [...plan.target.resources.CDS.values()];
  if (cluster === undefined) throw new Error("no cluster");
  const another = wireSet({ CDS: { a: "9" } });

  const withType = (fields: Partial<TypeState>): Partial<StreamState> => ({
    types: { ...rest.types, LDS: { ...rest.types.LDS, ...fields } },
  });
  const withPlan = (fields: Partial<PushPlan>): Partial<StreamState> => ({ plan: { ...plan, ...fields } });

  const busy: readonly (readonly [string, Partial<StreamState>])[] = [
    ["no world has come", { plan: undefined }],
    ["an earlier stream is gone on from", { past: plan.offered }],
    ["the connection is full", { room: false }],
    ["a timer runs", { timers: new Map([["gate", undefined]]) }],
    ["a type is unknown", { unknownTypes: new Set(["x"]) }],
    ["a gate is closed", withPlan({ gated: true })],
    ["gated types are kept back", withPlan({ ready: another })],
    ["something is leaving", withPlan({ leaving: { CDS: { names: new Set(["a"]), usersSeen: 1 } } })],
    ["not all is on offer", withPlan({ offered: { ...plan.offered, RDS: another.resources.CDS } })],
    ["something is not confirmed", withPlan({ unconfirmed: { ...plan.unconfirmed, CDS: new Map([["a", "1"]]) } })],
    ["names are to be answered", withType({ asked: new Set(["l"]) })],
    ["a response is on its way out", withType({ sending: [cluster] })],
    ["a response is not answered", withType({ unanswered: [{ nonce: "n", resources: [] }] })],
    ["something was refused", withType({ refused: new Set(["l"]) })],
    ["an answer is owed", withType({ due: true })],
    ["the first answer is still to come", withType({ resuming: true })],
    ["a sign of life is owed", withType({ heartbeat: true })],
    ["only a part was sent", withType({ partial: true })],
    ["an answer is waited for", withType({ awaited: true })],
    ["what was refused is sent again apart", withType({ retries: { ...newRetries, groups: [[cluster]] } })],
    ["it was sent again apart already", withType({ retries: { ...newRetries, left: newRetries.left - 1 } })],
  ];

  test.each(busy)("%s", (_, fields) => {
    const state = { ...rest, ...fields };
    expect(atRest(state)).toBe(state);
  });

  test("what has been written, and is answered, says nothing of what is to come", () => {
    const state = { ...rest, ...withType({ written: !rest.types.LDS.written }) };
    expect(atRest(state)).toBe(rest);
  });
});
