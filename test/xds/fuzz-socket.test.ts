import { once } from "node:events";
import { constants } from "node:http2";
import { connect } from "node:net";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import { LoadStatsRequestSchema } from "../../src/gen/envoy/service/load_stats/v3/lrs_pb.ts";
import { ClientStatusRequestSchema } from "../../src/gen/envoy/service/status/v3/csds_pb.ts";
import { HealthCheckRequestSchema } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { pageAt } from "../docs/pages.ts";
import { announceSeed, fuzzCount, fuzzSeed } from "../support/fuzz.ts";
import { http2Garbage } from "../support/http2-garbage.ts";
import { mutated } from "../support/mutate.ts";
import { mutatedRequest, oddNode } from "../support/odd-requests.ts";
import { createRandom, type Random } from "../support/random.ts";
import { connectRough, framed, type RoughPeer } from "../support/rough-peer.ts";
import { adsMethod, answering, asking, type StreamMethod, singleMethod } from "../support/stream-methods.ts";
import { waitFor } from "../support/wait-for.ts";
import { startWireServer, type WireServer } from "../support/wire-server.ts";

/* The real server under requests of any kind, and under what is not even HTTP/2. */

const count = fuzzCount(100_000);
/** More at a time in the long form: a wave waits for its slowest stream. */
const streamsPerWave = count > 10_000 ? 200 : 40;
const requestsPerStream = 3;

/** Those that docs/limits.md speaks of. */
const listed = new Set(
  Object.keys(status).filter((name) => new RegExp(`\\b${name}\\b`).test(pageAt("docs/limits.md").text)),
);

let server: WireServer;
let port: number;
beforeAll(async () => {
  server = await startWireServer();
  port = await server.listen();
});
afterAll(() => server.stop());

const names = ["c0", "c1", "l0", "r0", "e0", "s0", "t0", "o0", "r0/a"];

interface FuzzedMethod {
  readonly path: string;
  readonly message: (random: Random) => Buffer;
  /** What a stream may begin with, so that what follows is looked at. */
  readonly hello?: Uint8Array;
}

const discovery = (variant: "sotw" | "delta", only?: TypeName): FuzzedMethod => ({
  path: (only === undefined ? adsMethod(variant) : singleMethod(variant, only)).path,
  hello: asking(only === undefined ? adsMethod(variant) : singleMethod(variant, only, names), { node: oddNode }),
  // Nonces count up from the start of the server: hardly ever one that was sent.
  message: (random) => mutatedRequest(random, { variant, only, names, nonces: [random.int(50).toString(36)] }, 0.9),
});

function beside<D extends DescMessage>(path: string, schema: D, good: readonly MessageInitShape<D>[]): FuzzedMethod {
  const messages = good.map((one) => Buffer.from(toBinary(schema, create(schema, one))));
  const message = (random: Random): Buffer => {
    const one = random.pick(messages);
    return random.chance(0.3) ? one : mutated(one, random, messages);
  };
  return { path, message };
}

const reports = [
  { node: { id: oddNode } },
  { clusterStats: [{ clusterName: "c0", upstreamLocalityStats: [{ totalIssuedRequests: 2n ** 63n }] }] },
];
const matchers = [
  {},
  { nodeMatchers: [{ nodeId: { matchPattern: { case: "exact" as const, value: oddNode } } }] },
  { nodeMatchers: [{ nodeId: { matchPattern: { case: "safeRegex" as const, value: { regex: "(a+)+$" } } } }] },
];

const methods: readonly (readonly [weight: number, FuzzedMethod])[] = [
  [20, discovery("sotw")],
  [20, discovery("delta")],
  ...resourceTypes.flatMap(({ short, service }) =>
    (["sotw", "delta"] as const)
      .filter((variant) => service[variant] !== undefined)
      .map((variant) => [1, discovery(variant, short)] as const),
  ),
  [4, beside("/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats", LoadStatsRequestSchema, reports)],
  // Few: all its calls share one budget, and others would wait for minutes.
  [
    0.2,
    beside(
      "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus",
      ClientStatusRequestSchema,
      matchers,
    ),
  ],
  [2, beside("/grpc.health.v1.Health/Check", HealthCheckRequestSchema, [{}, { service: "no" }])],
  [
    1,
    { path: "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters", message: (random) => random.bytes(20) },
  ],
  [1, { path: "/no.such.Service/Method", message: (random) => random.bytes(20) }],
];

/** The frame of a message, in some cases one that does not fit. */
function oddFrame(random: Random, message: Buffer): Buffer {
  const whole = framed(message);
  return random.weighted<() => Buffer>([
    [20, () => whole],
    // Said to be compressed.
    [1, () => Buffer.concat([Buffer.of(1), whole.subarray(1)])],
    [0.5, () => Buffer.concat([Buffer.of(random.int(256)), whole.subarray(1)])],
    [0.5, () => whole.subarray(0, random.int(whole.length))],
    [0.5, () => Buffer.concat([Buffer.from("00ffffffff", "hex"), message])],
  ])();
}

type End = "half-close" | "reset";

/** One stream with a few requests, and its end. Gives what it ended with. */
async function fuzzStream(peer: RoughPeer, random: Random): Promise<string> {
  const { path, message, hello } = random.weighted(methods);
  const { stream, ended } = peer.open(path, random.chance(0.02) ? { "grpc-encoding": "gzip" } : {});
  if (hello !== undefined && random.chance(0.6)) stream.write(framed(hello));
  for (let i = 0; i < requestsPerStream; i++) stream.write(oddFrame(random, message(random)));
  const end = random.weighted<End>([
    [5, "half-close"],
    [1, "reset"],
  ]);
  if (end === "half-close") stream.end();
  else stream.close(constants.NGHTTP2_CANCEL);
  const found = await ended;
  return end === "reset" ? "reset" : (found ?? "none");
}

/** A connection of nothing but noise, until the server closes it; if it waits for more, until we do. */
async function fuzzConnection(random: Random): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}).resume();
  const closed = once(socket, "close");
  await once(socket, "connect");
  socket.end(http2Garbage(random));
  await closed;
}

/** Follows what changes, and accepts it, as a client should. */
function witness(method: StreamMethod, index: number) {
  const peer = connectRough(port);
  const call = peer.open(method.path);
  let answered = 0;
  let over: string | undefined;
  call.stream.on("data", () => {
    for (const message of call.messages.slice(answered)) {
      answered++;
      call.send(answering(method, method.decode(message)));
    }
  });
  void call.ended.then((name) => {
    over = name ?? "reset";
  });
  call.send(asking(method, { node: `sidecar~10.0.0.1~witness-${index}.shop~shop.svc.cluster.local` }));
  return { answered: () => answered, over: () => over, leave: () => peer.session.destroy() };
}

test("every stream ends with a listed status, nothing is left, and others are served throughout", {
  timeout: 60_000 + count * 10,
}, async () => {
  announceSeed("requests over a socket", count);
  const witnesses = [adsMethod("sotw"), adsMethod("delta"), singleMethod("delta", "EDS", ["c0"])].map(witness);
  const statuses = new Map<string, number>();
  let round = 0;

  const wave = async (seed: number): Promise<void> => {
    const random = createRandom(seed);
    const peer = connectRough(port);
    const seen = witnesses.map(({ answered }) => answered());
    const streams = Array.from({ length: streamsPerWave }, () => fuzzStream(peer, random));
    const noise = [fuzzConnection(createRandom(seed + 1)), fuzzConnection(createRandom(seed + 2))];
    await server.set(++round);
    const served = waitFor(() => witnesses.every(({ answered }, i) => answered() > (seen[i] ?? 0)), {
      what: `change ${round} at every witness`,
    });
    for (const name of await Promise.all(streams)) statuses.set(name, (statuses.get(name) ?? 0) + 1);
    await Promise.all([served, ...noise]);
    peer.session.destroy();
    await peer.closed;
  };
  /** Ends when only the witnesses are there. */
  const rest = (): Promise<unknown> =>
    waitFor(async () => {
      const { metrics } = await server.look();
      return metrics["fairway_xds_streams"] === 3 && metrics["fairway_xds_connections"] === 3;
    });

  const waves = Math.ceil(count / streamsPerWave / requestsPerStream);
  const first = fuzzSeed * 1_000_003;
  for (let i = 0; i < Math.ceil(waves / 3); i++) await wave(first + i * 3);
  await rest();
  const before = await server.weigh();
  for (let i = Math.ceil(waves / 3); i < waves; i++) await wave(first + i * 3);
  await rest();
  await waitFor(async () => (await server.weigh()) <= before * 1.05, { what: "as little memory as before" });
  expect(witnesses.map(({ over }) => over())).toEqual([undefined, undefined, undefined]);
  for (const { leave } of witnesses) leave();
  await server.expectEmpty();

  console.info(`statuses: ${[...statuses].map(([name, times]) => `${name} ${times}`).join(", ")}`);
  expect([...statuses.keys()].filter((name) => name !== "reset" && !listed.has(name))).toEqual([]);
  expect(statuses.get("OK")).toBeGreaterThan(0);
  expect(statuses.get("INVALID_ARGUMENT")).toBeGreaterThan(0);
});
