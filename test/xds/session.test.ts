import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import type { ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createXdsMetrics } from "../../src/xds/metrics.ts";
import { createNodeStreams } from "../../src/xds/node-streams.ts";
import { defaultXdsOptions } from "../../src/xds/options.ts";
import { createPastStreams } from "../../src/xds/past-streams.ts";
import type { DeliveryRecorder, ResourceFeed } from "../../src/xds/ports.ts";
import { createRequestDecoders } from "../../src/xds/request-decoders.ts";
import { createResponseCache, type Variant } from "../../src/xds/response-cache.ts";
import { createSession } from "../../src/xds/session.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { wireSet } from "../support/wire-resources.ts";

const node = { id: "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", userAgentName: "envoy" };
const { url: cds } = resourceType("CDS");

type SotwInit = Parameters<typeof create<typeof DiscoveryRequestSchema>>[1];
const request = (init: SotwInit): Uint8Array =>
  toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { typeUrl: cds, ...init }));

/** What stands behind the prefix of the one message. */
function messageOf(framed: Buffer): Buffer {
  expect(framed.readUInt32BE(1)).toBe(framed.length - 5);
  return framed.subarray(5);
}

/** A session whose every port is watched. */
function startSession(
  options: {
    readonly variant?: Variant;
    readonly only?: TypeName;
    readonly first?: ResourceSet;
    readonly feed?: ResourceFeed;
  } = {},
) {
  const { variant = "sotw", only, first } = options;
  const clock = createFakeClock();
  const registry = createMetrics();
  const records: string[] = [];
  const written: { readonly bytes: Buffer; readonly left: () => void }[] = [];
  const ended: string[] = [];
  let listener: ((resources: ResourceSet) => void) | undefined;
  const feed: ResourceFeed = options.feed ?? {
    watch: (_node, follow) => {
      listener = follow;
      return { current: () => first, close: () => records.push("unwatched") };
    },
  };
  const recorder: DeliveryRecorder = {
    opened: ({ stream, node: { id }, variant: how, peer }) => records.push(`opened ${stream} ${id} ${how} ${peer}`),
    sent: (_stream, type, nonce, list) =>
      records.push(`sent ${type} ${nonce} ${list.map(({ name }) => name).join(" ")}`),
    accepted: (_stream, type, nonce) => records.push(`accepted ${type} ${nonce}`),
    refused: (_stream, type, nonce, reason) => records.push(`refused ${type} ${nonce} ${reason}`),
    resumed: (_stream, type, list) => records.push(`resumed ${type} ${list.map(({ name }) => name).join(" ")}`),
    asked: (_stream, type, names, wildcard) =>
      records.push(`asked ${type} ${[...names].join(" ")}${wildcard ? " and all" : ""}`),
    dropped: (_stream, type, names) => records.push(`dropped ${type} ${names.join(" ")}`),
    closed: (stream) => records.push(`closed ${stream}`),
  };
  /** What the peer has sent; grows when it is heard. */
  const peer = { bytes: 0 };
  const transport = {
    peer: "127.0.0.1:9",
    heard: () => peer.bytes,
    write: (framed: Buffer, left: () => void) => {
      written.push({ bytes: messageOf(framed), left });
    },
    end: (status: string, reason: string) => {
      ended.push(`${status}: ${reason}`);
    },
  };
  const nodes = createNodeStreams(1);
  const past = createPastStreams(createFakeClock(), defaultXdsOptions);
  const session = createSession({ variant, ...(only !== undefined && { only }) }, "s1", transport, {
    feed,
    recorder,
    decoders: createRequestDecoders(clock, 1_000_000),
    cache: createResponseCache({ identifier: "cp", firstSequence: 0, maxBytes: 1_000_000 }),
    metrics: createXdsMetrics(registry),
    log: createLog({ level: "silent", format: "json", write: () => {} }),
    clock,
    nodes,
    past,
    options: { ...defaultXdsOptions, maxStreamsPerNode: 1 },
  });
  const metric = async (line: string): Promise<string | undefined> =>
    (await registry.expose()).text.split("\n").find((text) => text.startsWith(line));
  const push = (set: ResourceSet): void => listener?.(set);
  return { session, clock, records, written, ended, transport, peer, nodes, past, metric, push };
}

const world = wireSet({ CDS: { a: "1" } });

test("a stream from its first request to its end", async () => {
  const { session, clock, records, written, ended, metric, push } = startSession({ first: world });
  expect(await metric("fairway_xds_streams")).toBe('fairway_xds_streams{variant="sotw"} 1');
  session.receive(request({ node }));
  expect(written).toHaveLength(1);
  session.receive(request({ responseNonce: "0" }));
  push(wireSet({ CDS: { a: "2" } }));
  session.receive(request({ responseNonce: "1", errorDetail: { code: 13, message: "no good" } }));
  session.end("enough");
  expect(ended).toEqual(["OK: enough"]);
  push(wireSet({ CDS: { a: "3" } }));
  session.receive(request({ node }));
  session.close();
  expect(written).toHaveLength(2);
  expect(records).toEqual([
    "opened s1 sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local sotw 127.0.0.1:9",
    "asked CDS  and all",
    "sent CDS 0 a",
    "accepted CDS 0",
    "sent CDS 1 a",
    "refused CDS 1 no good",
    "closed s1",
    "unwatched",
  ]);
  expect(clock.pending()).toBe(0);
  expect(await metric("fairway_xds_streams")).toBe('fairway_xds_streams{variant="sotw"} 0');
  expect(await metric("fairway_xds_pushes_total")).toBe('fairway_xds_pushes_total{type="CDS"} 2');
  expect(await metric("fairway_xds_nacks_total")).toBe('fairway_xds_nacks_total{type="CDS"} 1');
  expect(await metric("fairway_xds_ack_seconds_count")).toBe('fairway_xds_ack_seconds_count{type="CDS"} 1');
  expect(await metric("fairway_xds_ended_total")).toBe('fairway_xds_ended_total{status="OK"} 1');
});

test("what a delta client lists and drops is recorded", () => {
  const { session, records } = startSession({ variant: "delta", first: world });
  const send = (init: Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1]): void =>
    session.receive(
      toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { typeUrl: cds, ...init })),
    );
  send({ node, initialResourceVersions: { a: "1", gone: "1" } });
  send({ resourceNamesUnsubscribe: ["*"], resourceNamesSubscribe: ["b"] });
  expect(records.slice(1)).toEqual([
    "asked CDS  and all",
    "resumed CDS a gone",
    "sent CDS 0 ",
    "dropped CDS a gone",
    "asked CDS b",
  ]);
});

describe("a client's faults end its stream, in words", () => {
  test.each<[string, Uint8Array, string]>([
    ["no node", request({}), "INVALID_ARGUMENT: the first request of a stream must carry the node"],
    [
      "STR-02 an empty node",
      request({ node: { id: "" } }),
      'INVALID_ARGUMENT: node.id "" does not name a proxy. It must read <sidecar|router>~<ip>~<name>.<namespace>~<namespace>.svc.<domain>.',
    ],
    ["no request", Uint8Array.of(0x0a, 0xff), "INVALID_ARGUMENT: the request is no DiscoveryRequest"],
    [
      "STR-06 no type",
      request({ node, typeUrl: "" }),
      "INVALID_ARGUMENT: type_url is empty: on ADS each request names its type",
    ],
  ])("%s", (_, bytes, want) => {
    const { session, ended, clock } = startSession({ first: world });
    session.receive(bytes);
    session.receive(request({ node }));
    expect(ended).toEqual([want]);
    expect(clock.pending()).toBe(0);
  });
});

test("a fault of ours ends the stream, not the process", () => {
  const feed: ResourceFeed = {
    watch: () => {
      throw new Error("boom");
    },
  };
  const { session, ended } = startSession({ feed });
  session.receive(request({ node }));
  expect(ended).toEqual(["INTERNAL: the control plane failed to serve this stream; its log says why"]);
});

test("STR-01 a later request needs no node, and another one is counted and not believed", async () => {
  const { session, records, metric } = startSession({ first: world });
  session.receive(request({ node }));
  session.receive(request({ node, typeUrl: resourceType("LDS").url }));
  session.receive(request({ node: { id: "sidecar~10.0.0.2~b.b~b.svc" }, typeUrl: resourceType("EDS").url }));
  expect(records.filter((line) => line.startsWith("opened"))).toHaveLength(1);
  expect(await metric("fairway_xds_node_changes_total")).toBe("fairway_xds_node_changes_total 1");
});

test("STR-09 without a world the stream waits, then ends as unavailable", () => {
  const { session, ended, clock, written } = startSession();
  session.receive(request({ node }));
  clock.advance(defaultXdsOptions.worldTimeoutMs - 1);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual(["UNAVAILABLE: the control plane has no complete configuration yet; try again"]);
  expect(written).toEqual([]);
});

test("STR-10 a stream that had no answer is not ended with OK", () => {
  const { session, ended } = startSession();
  session.receive(request({ node }));
  session.end("shutting down");
  expect(ended).toEqual(["UNAVAILABLE: shutting down"]);
});

test("ACK-08 the wait for an ACK runs from when the bytes have left", () => {
  const { session, clock, written, push, peer } = startSession({ first: world });
  session.receive(request({ node }));
  push(wireSet({ CDS: { a: "2" } }));
  clock.advance(60_000);
  expect(written).toHaveLength(1);
  written[0]?.left();
  clock.advance(defaultXdsOptions.ackTimeoutMs - 1);
  peer.bytes++;
  clock.advance(1);
  expect(written).toHaveLength(1);
  peer.bytes++;
  clock.advance(500);
  expect(written).toHaveLength(2);
});

test("STR-07 a stream that is gone leaves no timer", () => {
  const { session, clock, written } = startSession({ first: world });
  session.receive(request({ node }));
  written[0]?.left();
  expect(clock.pending()).toBe(1);
  session.close();
  written[0]?.left();
  expect(clock.pending()).toBe(0);
});

test("ACK-08 bytes that leave within the write begin the wait all the same", () => {
  const { session, clock, records, transport, push, peer } = startSession({ first: world });
  transport.write = (_, left) => left();
  session.receive(request({ node }));
  push(wireSet({ CDS: { a: "2" } }));
  clock.advance(1_000);
  session.receive(request({ responseNonce: "0" }));
  push(wireSet({ CDS: { a: "3" } }));
  clock.advance(defaultXdsOptions.ackTimeoutMs - 1);
  expect(records.filter((line) => line.startsWith("sent"))).toHaveLength(2);
  clock.advance(1);
  peer.bytes++;
  clock.advance(500);
  expect(records.filter((line) => line.startsWith("sent"))).toHaveLength(3);
});

test("ACK-10 an ACK that comes within the write finds its nonce known", () => {
  const { session, records, transport, push } = startSession({ first: world });
  transport.write = (framed, left) => {
    left();
    const { nonce } = fromBinary(DiscoveryResponseSchema, messageOf(framed));
    session.receive(request({ responseNonce: nonce }));
  };
  session.receive(request({ node }));
  for (let i = 2; i <= 1_000; i++) push(wireSet({ CDS: { a: String(i) } }));
  expect(records.filter((line) => line.startsWith("accepted"))).toHaveLength(1_000);
});

test("ACK-10 an ACK that comes within a write waits for its turn: what is on its way goes first, in its order", () => {
  const first = wireSet({ CDS: { a: "1" }, EDS: { a: "1" }, LDS: { l: "1" } });
  const { session, records, transport, push } = startSession({ first });
  transport.write = (framed, left) => {
    left();
    const { nonce, typeUrl } = fromBinary(DiscoveryResponseSchema, messageOf(framed));
    const resourceNames = typeUrl === resourceType("EDS").url ? ["a"] : [];
    session.receive(request({ typeUrl, responseNonce: nonce, resourceNames }));
  };
  session.receive(request({ node }));
  session.receive(request({ typeUrl: resourceType("EDS").url, resourceNames: ["a"] }));
  session.receive(request({ typeUrl: resourceType("LDS").url }));
  records.length = 0;
  // The new cluster has no endpoints: its ACK alone opens the way for the listener.
  push(wireSet({ CDS: { a: "1", b: "1" }, EDS: { a: "2" }, LDS: { l: "2" } }));
  expect(records.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
    "sent CDS",
    "sent EDS",
    "accepted CDS",
    "sent LDS",
    "accepted EDS",
    "accepted LDS",
  ]);
});

describe("ACK-08 a peer that is not heard of gets no more of what it does not answer", () => {
  test("until it is heard again after its time; what was heard before says nothing of who stopped since", () => {
    const { session, clock, written, push, peer } = startSession({ first: world });
    session.receive(request({ node }));
    written[0]?.left();
    push(wireSet({ CDS: { a: "2" } }));
    clock.advance(10 * defaultXdsOptions.ackTimeoutMs);
    push(wireSet({ CDS: { a: "3" } }));
    expect(written).toHaveLength(1);
    // It answers a ping.
    peer.bytes += 17;
    clock.advance(500);
    expect(written).toHaveLength(2);
    written[1]?.left();
    push(wireSet({ CDS: { a: "4" } }));
    peer.bytes += 17;
    clock.advance(10 * defaultXdsOptions.ackTimeoutMs);
    expect(written).toHaveLength(2);
    peer.bytes += 17;
    clock.advance(500);
    expect(written).toHaveLength(3);
  });

  test("while it waits to be heard its end leaves no timer", () => {
    const { session, clock, written } = startSession({ first: world });
    session.receive(request({ node }));
    written[0]?.left();
    clock.advance(defaultXdsOptions.ackTimeoutMs + 1_000);
    expect(clock.pending()).toBe(1);
    session.close();
    expect(clock.pending()).toBe(0);
  });

  test("the wait for the first world is not about the peer", () => {
    const { session, clock, ended } = startSession();
    session.receive(request({ node }));
    clock.advance(defaultXdsOptions.worldTimeoutMs);
    expect(ended).toHaveLength(1);
  });
});

describe("SNG-01, SNG-02 the method of a single type", () => {
  const sent = (records: readonly string[]): readonly string[] => records.filter((line) => line.startsWith("sent"));

  test.each(["sotw", "delta"] as const)("%s: no type means that type, as does its name", (variant) => {
    const bytes = (typeUrl: string): Uint8Array =>
      variant === "sotw"
        ? request({ node, typeUrl })
        : toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { node, typeUrl }));
    const { session, records, ended } = startSession({ variant, only: "CDS", first: world });
    session.receive(bytes(""));
    session.receive(bytes(cds));
    expect(sent(records)).toEqual(["sent CDS 0 a"]);
    expect(ended).toEqual([]);
  });

  test.each([resourceType("LDS").url, "type.googleapis.com/foo.Bar"])("%s instead is refused by name", (typeUrl) => {
    const { session, records, ended } = startSession({ only: "CDS", first: world });
    session.receive(request({ node, typeUrl }));
    expect(records).toEqual([]);
    expect(ended).toEqual([`INVALID_ARGUMENT: this method serves ${cds} and not ${typeUrl}. ADS serves all types.`]);
  });
});

describe("a type that is alone waits for a time, and for nobody's answer", () => {
  const tables = (version: string): ResourceSet => wireSet({ RDS: { r: version } });
  const { url: typeUrl } = resourceType("RDS");
  const accept = ({ session, records }: ReturnType<typeof startSession>): void => {
    const responseNonce = records.findLast((line) => line.startsWith("sent"))?.split(" ")[2] ?? "";
    session.receive(request({ typeUrl, resourceNames: ["r"], responseNonce }));
  };

  test("a change goes out when it is over, though the peer says nothing", () => {
    const one = startSession({ only: "RDS", first: tables("1") });
    const { session, clock, written, push } = one;
    session.receive(request({ node, typeUrl, resourceNames: ["r"] }));
    accept(one);
    push(tables("2"));
    clock.advance(defaultXdsOptions.aloneLagMs - 1);
    expect(written).toHaveLength(1);
    clock.advance(1);
    expect(written).toHaveLength(2);
  });

  test("each change in its turn, however fast they come", () => {
    const one = startSession({ only: "RDS", first: tables("1") });
    const { session, clock, written, push } = one;
    session.receive(request({ node, typeUrl, resourceNames: ["r"] }));
    accept(one);
    const half = defaultXdsOptions.aloneLagMs / 2;
    push(tables("2"));
    clock.advance(half);
    push(tables("3"));
    clock.advance(half);
    expect(written).toHaveLength(2);
    accept(one);
    clock.advance(half - 1);
    expect(written).toHaveLength(2);
    clock.advance(1);
    expect(written).toHaveLength(3);
    session.close();
    expect(clock.pending()).toBe(0);
  });

  test("what is gone stays for that time and the grace time", () => {
    const { session, clock, written, push } = startSession({ only: "CDS", variant: "delta", first: world });
    const ask = (responseNonce = ""): void =>
      session.receive(
        toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, { node, responseNonce })),
      );
    ask();
    ask("0");
    push(wireSet({ CDS: { b: "1" } }));
    ask("1");
    const { aloneLagMs, removalGraceMs } = defaultXdsOptions;
    clock.advance(aloneLagMs + removalGraceMs - 1);
    expect(written).toHaveLength(2);
    clock.advance(1);
    expect(written).toHaveLength(3);
  });

  test("while an answer is awaited, the peer has to live all the same", () => {
    const { session, clock, written, push, peer } = startSession({ only: "RDS", first: tables("1") });
    session.receive(request({ node, typeUrl, resourceNames: ["r"] }));
    written[0]?.left();
    push(tables("2"));
    clock.advance(10 * defaultXdsOptions.ackTimeoutMs);
    expect(written).toHaveLength(1);
    peer.bytes += 17;
    clock.advance(1_000);
    expect(written).toHaveLength(2);
  });
});

describe("what a stream takes it gives back", () => {
  test("AUT-05 a node with too many streams is refused, and its place is free again when one ends", async () => {
    const { session, ended, nodes, records, metric } = startSession({ first: world });
    expect(nodes.enter(node.id)).toBe(true);
    session.receive(request({ node }));
    expect(ended).toEqual([`RESOURCE_EXHAUSTED: ${node.id} has 1 streams already`]);
    expect(records).toEqual([]);
    expect(await metric("fairway_xds_turned_away_total")).toBe('fairway_xds_turned_away_total{limit="node-streams"} 1');
    expect(nodes.enter(node.id)).toBe(false);
    nodes.leave(node.id);
    expect(nodes.enter(node.id)).toBe(true);
  });

  test("also when the rest of the house fails", () => {
    const feed: ResourceFeed = {
      watch: () => {
        throw new Error("boom");
      },
    };
    const { session, nodes } = startSession({ feed });
    session.receive(request({ node }));
    expect(nodes.enter(node.id)).toBe(true);
  });

  test("the watch is counted", async () => {
    const { session, metric } = startSession({ first: world });
    expect(await metric("fairway_xds_watches")).toBe("fairway_xds_watches 0");
    session.receive(request({ node }));
    expect(await metric("fairway_xds_watches")).toBe("fairway_xds_watches 1");
    session.close();
    expect(await metric("fairway_xds_watches")).toBe("fairway_xds_watches 0");
  });

  test("what it had on offer is remembered, whether it stands or is gone", () => {
    const { session, past } = startSession({ first: world });
    const kind = { variant: "sotw" } as const;
    session.receive(request({ node }));
    expect(past.of(node.id, kind)).toBe(world.resources);
    session.close();
    expect(past.of(node.id, kind)).toBe(world.resources);
  });
});
