import { constants } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maxNameLength, maxNamesPerRequest } from "../../src/envoy/discovery-request.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";
import { LoadStatsRequestSchema } from "../../src/gen/envoy/service/load_stats/v3/lrs_pb.ts";
import { ClientStatusRequestSchema } from "../../src/gen/envoy/service/status/v3/csds_pb.ts";
import { HealthCheckRequestSchema } from "../../src/gen/grpc/health/v1/health_pb.ts";
import type { XdsOptions } from "../../src/xds/options.ts";
import { connectRough, type RoughCall, type RoughPeer } from "../support/rough-peer.ts";
import {
  adsMethod,
  answering,
  asking,
  type StreamMethod,
  singleMethod,
  someMethods,
} from "../support/stream-methods.ts";
import { waitFor } from "../support/wait-for.ts";
import { startWireServer, type WireServer } from "../support/wire-server.ts";

/* STR-07: whatever way streams end, and however many, nothing of them is left in the server. */

/** In each way. */
const aborts = Number(process.env["FAIRWAY_ABORTS"] ?? 200);
/** What the first ones leave is code that was compiled and tables that were made; as many again must leave nothing. */
const warmUp = aborts / 5;
const timeout = 20_000 + aborts * 40;

let server: WireServer;
beforeAll(async () => {
  server = await startWireServer();
});
afterAll(() => server.stop());

const nodeOf = (index: number): string => `sidecar~10.0.0.1~web-${index % 10}.shop~shop.svc.cluster.local`;

/** Does `run` with so many, and holds what is left against what was there before. */
async function expectNothingLeft(run: (count: number) => Promise<void>): Promise<void> {
  await run(warmUp);
  await server.expectEmpty();
  const before = await server.weigh();
  await run(aborts);
  await server.expectEmpty();
  let after = 0;
  const isLight = async (): Promise<boolean> => {
    after = await server.weigh();
    return after <= before * 1.05;
  };
  await waitFor(isLight, { withinMs: 5_000 }).catch((cause: unknown) => {
    throw new Error(`${before} bytes were held before, ${after} after ${aborts} aborts`, { cause });
  });
}

interface Call extends RoughCall {
  readonly peer: RoughPeer;
  readonly index: number;
}

/** How a way ends streams. */
interface Way {
  readonly options?: Partial<XdsOptions>;
  /** The methods that take turns; all kinds when absent. */
  readonly methods?: readonly StreamMethod[];
  /** Streams of one connection; default 50. */
  readonly perConnection?: number;
  /** What the client does, up to the end. */
  readonly act: (call: Call, method: StreamMethod) => Promise<void> | void;
  /** One costs as much as a hundred others: fewer will do, but in the long form. */
  readonly costly?: true;
  /** The gRPC status that each stream ends with; absent where the client hears of none. */
  readonly status?: string;
}

/** Streams in waves: each on its connection, each brought to its end. */
async function runWay(port: number, way: Way, all: number) {
  const { methods = someMethods, perConnection = 50, act, status, costly } = way;
  const count = costly && all <= 200 ? all / 5 : all;
  for (let done = 0; done < count; done += perConnection) {
    const peer = connectRough(port);
    const calls = Array.from({ length: Math.min(perConnection, count - done) }, async (_, i) => {
      const index = done + i;
      const method = methods[index % methods.length];
      if (method === undefined) throw new Error("no method");
      const call = { ...peer.open(method.path), peer, index };
      await act(call, method);
      expect(await call.ended).toBe(status);
    });
    await Promise.all(calls);
    peer.session.destroy();
    await peer.closed;
  }
}

/** As far as a stream has come when it ends: nothing said; asked; answered; accepted; asked for more. */
async function proceed({ send, came, messages, index }: Call, method: StreamMethod): Promise<void> {
  const stage = Math.floor(index / 4) % 5;
  if (stage > 0) send(asking(method, { node: nodeOf(index) }));
  if (stage > 1) await came(1);
  const [first] = messages;
  if (stage > 2 && first !== undefined) send(answering(method, method.decode(first)));
  if (stage > 3) send(asking(method, { names: [`more-${index % 10}`] }));
}

const atAnyStage =
  (end: (call: Call) => void): Way["act"] =>
  async (call, method) => {
    await proceed(call, method);
    end(call);
  };

const saying =
  (request: (method: StreamMethod, node: string) => Uint8Array): Way["act"] =>
  ({ send, index }, method) =>
    send(request(method, nodeOf(index)));

const asks = saying((method, node) => asking(method, { node }));

/** A stream whose large answer is not read, and waits. */
const unread =
  (end: (call: Call) => void): Way["act"] =>
  async (call, method) => {
    call.stream.pause();
    call.send(asking(method, { node: nodeOf(call.index) }));
    await new Promise<void>((resolve) => call.stream.once("response", () => resolve()));
    end(call);
  };

const large: readonly StreamMethod[] = [
  adsMethod("sotw", "LDS"),
  adsMethod("delta", "LDS"),
  singleMethod("sotw", "LDS"),
  singleMethod("delta", "LDS"),
];

const cancel = ({ stream }: Call): void => stream.close(constants.NGHTTP2_CANCEL);

describe("streams that end by the client's doing", () => {
  const ways: Readonly<Record<string, Way>> = {
    "half-close": { act: atAnyStage(({ stream }) => stream.end()), status: "OK" },
    cancel: { act: atAnyStage(cancel) },
    "reset of the stream": { act: atAnyStage(({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)) },
    "the connection is closed": { perConnection: 4, act: atAnyStage(({ peer }) => peer.socket.destroy()) },
    "the connection is reset": { perConnection: 4, act: atAnyStage(({ peer }) => peer.socket.resetAndDestroy()) },
    "the client says GOAWAY and goes": {
      perConnection: 4,
      act: atAnyStage(({ peer }) => {
        if (!peer.session.destroyed) peer.session.goaway();
        peer.session.destroy();
      }),
    },
    "cancel while the answer waits for the client": { methods: large, act: unread(cancel) },
    "the connection is closed while answers wait": {
      ...{ methods: large, perConnection: 4 },
      act: unread(({ peer }) => peer.socket.destroy()),
    },
    "cancel while it waits to be let in": {
      options: { maxBytesInFlight: 0 },
      act: async (call, method) => {
        await asks(call, method);
        cancel(call);
      },
    },
    "cancel while it is read slowly": {
      options: { requestBurst: 1, requestsPerSecond: 1 },
      async act(call, method) {
        call.send(...Array.from({ length: 5 }, () => asking(method, { node: nodeOf(call.index) })));
        await call.came(1);
        cancel(call);
      },
    },
  };
  test.each(Object.entries(ways))("%s", { timeout }, async (_, way) => {
    const port = await server.listen(way.options);
    await expectNothingLeft((count) => runWay(port, way, count));
  });
});

describe("streams that are refused early", () => {
  const invalid = "INVALID_ARGUMENT";
  const exhausted = "RESOURCE_EXHAUSTED";
  const singles = someMethods.filter(({ only }) => only !== undefined);
  const adsMethods = someMethods.filter(({ only }) => only === undefined);
  const names = Array.from({ length: maxNamesPerRequest + 1 }, () => "");
  const ways: Readonly<Record<string, Way>> = {
    "no node": { act: saying((method) => asking(method)), status: invalid },
    "a bad node": { act: saying((method) => asking(method, { node: "x" })), status: invalid },
    "no type": {
      methods: adsMethods,
      act: saying((method, node) => asking(method, { node, typeUrl: "" })),
      status: invalid,
    },
    "another type than the method's": {
      methods: singles,
      act: saying((method, node) => asking(method, { node, typeUrl: resourceType("RDS").url })),
      status: invalid,
    },
    "too many names": {
      ...{ perConnection: 4, costly: true },
      act: saying((method, node) => asking(method, { node, names })),
      status: invalid,
    },
    "a name that is too long": {
      act: saying((method, node) => asking(method, { node, names: ["x".repeat(maxNameLength + 1)] })),
      status: invalid,
    },
    "bytes that are no request": { act: saying(() => Uint8Array.of(0x0a, 0xff)), status: invalid },
    "a request that is too large": {
      options: { maxRequestBytes: 500 },
      act: saying((method, node) => asking(method, { node, names: ["x".repeat(1_000)] })),
      status: exhausted,
    },
    "too many streams of the node": { options: { maxStreamsPerNode: 0 }, act: asks, status: exhausted },
    "the queue is full": { options: { maxBytesInFlight: 0, maxWaitingStreams: 0 }, act: asks, status: exhausted },
    "the wait is too long": {
      options: { maxBytesInFlight: 0, admissionTimeoutMs: 5 },
      act: asks,
      status: "UNAVAILABLE",
    },
    "nothing is said": { options: { firstRequestMs: 5 }, act: () => {}, status: "DEADLINE_EXCEEDED" },
    "too many connections": { options: { maxConnections: 0 }, perConnection: 4, act: asks },
  };
  test.each(Object.entries(ways))("%s", { timeout }, async (_, way) => {
    const port = await server.listen(way.options);
    await expectNothingLeft((count) => runWay(port, way, count));
  });
});

describe("calls of the services beside discovery", () => {
  interface SideWay {
    readonly path: string;
    readonly message?: Uint8Array;
    /** When its answer has come; without it, at once. */
    readonly answered?: true;
    readonly end?: (call: Call) => void;
    readonly perConnection?: number;
    readonly status?: string;
  }
  const lrs = "/envoy.service.load_stats.v3.LoadReportingService/StreamLoadStats";
  const csds = "/envoy.service.status.v3.ClientStatusDiscoveryService/StreamClientStatus";
  const health = "/grpc.health.v1.Health";
  const hello = toBinary(LoadStatsRequestSchema, create(LoadStatsRequestSchema, { node: { id: nodeOf(1) } }));
  const nobody = toBinary(LoadStatsRequestSchema, create(LoadStatsRequestSchema, {}));
  const everything = toBinary(ClientStatusRequestSchema, create(ClientStatusRequestSchema, {}));
  const healthOf = (service: string): Uint8Array =>
    toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  const garbage = Uint8Array.of(0x0a, 0xff);
  const halfClose = ({ stream }: Call): void => void stream.end();
  const lose = ({ peer }: Call): void => void peer.socket.destroy();

  const ways: Readonly<Record<string, SideWay>> = {
    "LRS, half-close": { path: lrs, message: hello, answered: true, end: halfClose, status: "OK" },
    "LRS, cancel": { path: lrs, message: hello, answered: true, end: cancel },
    "LRS, the connection is closed": { path: lrs, message: hello, answered: true, end: lose, perConnection: 4 },
    "LRS, no node": { path: lrs, message: nobody, status: "INVALID_ARGUMENT" },
    "CSDS, cancel before or while it is answered, or waits for its turn": {
      ...{ path: csds, message: everything, end: cancel, perConnection: 8 },
    },
    "CSDS, the connection is closed": { path: csds, message: everything, end: lose, perConnection: 8 },
    "health, watch, cancel": { path: `${health}/Watch`, message: healthOf(""), answered: true, end: cancel },
    "health, watch, the connection is closed": {
      ...{ path: `${health}/Watch`, message: healthOf(""), answered: true, end: lose, perConnection: 4 },
    },
    "health, check of what is not there": { path: `${health}/Check`, message: healthOf("no"), status: "NOT_FOUND" },
    "health, bytes that are no request": { path: `${health}/Watch`, message: garbage, status: "INVALID_ARGUMENT" },
    "health, no request": { path: `${health}/Check`, end: halfClose, status: "INVALID_ARGUMENT" },
    HDS: { path: "/envoy.service.health.v3.HealthDiscoveryService/StreamHealthCheck", status: "UNIMPLEMENTED" },
    "a method of one answer": {
      path: "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters",
      ...{ message: hello, end: halfClose, status: "UNIMPLEMENTED" },
    },
  };
  test.each(Object.entries(ways))(
    "%s",
    { timeout },
    async (_, { path, message, answered, end, perConnection, status }) => {
      const port = await server.listen();
      const way: Way = {
        methods: [{ ...adsMethod("sotw"), path }],
        ...(perConnection !== undefined && { perConnection }),
        async act(call) {
          if (message !== undefined) call.send(message);
          if (answered) await call.came(1);
          end?.(call);
        },
        ...(status !== undefined && { status }),
      };
      await expectNothingLeft((count) => runWay(port, way, count));
    },
  );
});

test(`${aborts} refusals`, { timeout }, async () => {
  const port = await server.listen();
  const refusals = async (): Promise<number> => (await server.look()).metrics["fairway_xds_nacks_total"] ?? 0;
  let round = 0;
  await expectNothingLeft(async (count) => {
    const before = await refusals();
    const peer = connectRough(port);
    const calls = Array.from({ length: 20 }, (_, index) => {
      const method = someMethods[index % someMethods.length];
      if (method === undefined) throw new Error("no method");
      const call = peer.open(method.path);
      let refused = 0;
      call.stream.on("data", () => {
        for (const message of call.messages.slice(refused)) {
          const nack = answering(method, method.decode(message), `refused for the ${++refused}th time`);
          // Some clients say it again with whatever they say next.
          call.send(nack, nack);
        }
      });
      call.send(asking(method, { node: nodeOf(index) }));
      return call;
    });
    let seen = before;
    while (seen - before < count) {
      const last = seen;
      await server.set(++round);
      seen = await waitFor(
        async () => {
          const now = await refusals();
          return now >= last + calls.length ? now : undefined;
        },
        { what: "a refusal of each stream" },
      );
    }
    for (const [index, { stream }] of calls.entries()) {
      if (index % 2 === 0) stream.end();
      else stream.close(constants.NGHTTP2_CANCEL);
    }
    await Promise.all(calls.map(({ ended }) => ended));
    peer.session.destroy();
  });
});
