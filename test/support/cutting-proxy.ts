import {
  Client,
  type ClientDuplexStream,
  credentials,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from "@grpc/grpc-js";

/** Where a message comes from. */
export type Side = "client" | "server";

/**
 * How a stream is cut. `delivered` or `lost`: what happens to the message at which it is cut. The client always hears of it at
 * once; the server hears of it as well (`told`), or not before `forget` (`late`), as when a machine between vanishes: till then
 * it goes on sending to nobody.
 */
export interface Way {
  readonly message: "delivered" | "lost";
  readonly server: "told" | "late";
}

export const ways: readonly [Way, ...Way[]] = [
  { message: "delivered", server: "told" },
  { message: "lost", server: "late" },
  { message: "delivered", server: "late" },
  { message: "lost", server: "told" },
];

/** What went by. */
export type Passed =
  | {
      readonly what: "message";
      readonly atMs: number;
      readonly stream: number;
      readonly from: Side;
      readonly fate: Fate;
      readonly bytes: Buffer;
    }
  | { readonly what: "opened" | "cut" | "ended"; readonly atMs: number; readonly stream: number };

/** `unheard`: the server sent it on a stream that was cut without its knowledge. */
export type Fate = "delivered" | "lost" | "unheard";

/** Stands between one Envoy and a control plane, on the level of the messages of ADS; both variants. */
export interface CuttingProxy {
  readonly port: number;
  /**
   * Cuts the present stream once, at its `k`-th message from now on (1 is the next), whichever side it comes from. `onCut` is
   * called at once; it may `hold` the streams to come.
   */
  readonly arm: (k: number, way: Way, onCut?: () => void) => Cut;
  /** Cuts the present stream now. */
  readonly cut: (way: Way) => void;
  /** Streams that come from now on wait for `release`. */
  readonly hold: () => void;
  readonly release: () => void;
  /** Tells the server of streams that were cut without its knowledge. */
  readonly forget: () => void;
  /** Everything that went by, in its order, since the last `clear`. */
  readonly passed: readonly Passed[];
  readonly clear: () => void;
  /** A client's stream is open that has been answered, and nothing has gone by for so long. */
  readonly isQuietFor: (ms: number) => boolean;
  readonly close: () => void;
}

export interface Cut {
  readonly done: boolean;
  /** It will not happen any more. */
  readonly disarm: () => void;
}

type Downstream = ServerDuplexStream<Buffer, Buffer>;
type Upstream = ClientDuplexStream<Buffer, Buffer>;

interface Stream {
  readonly id: number;
  readonly downstream: Downstream;
  readonly path: string;
  upstream: { readonly call: Upstream; readonly client: Client } | undefined;
  answered: boolean;
  cut: boolean;
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const asIs = (bytes: Buffer): Buffer => bytes;
const methodOf = (path: string): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

export interface CuttingProxyOptions {
  /** Of the control plane, on 127.0.0.1. */
  readonly port: number;
  /** How long a response is under way, milliseconds: what is wrong between two of them lasts long enough to be seen. */
  readonly latencyMs: number;
}

export async function startCuttingProxy({ port, latencyMs }: CuttingProxyOptions): Promise<CuttingProxy> {
  const passed: Passed[] = [];
  const waiting: Stream[] = [];
  const unaware = new Set<Stream>();
  let streams = 0;
  let current: Stream | undefined;
  let held = false;
  let armed: { left: number; readonly way: Way; readonly onCut: () => void; done: boolean } | undefined;

  const note = (what: "opened" | "cut" | "ended", { id }: Stream): void => {
    passed.push({ what, atMs: performance.now(), stream: id });
  };

  const hangUp = (stream: Stream): void => {
    stream.upstream?.call.cancel();
    stream.upstream?.client.close();
    stream.upstream = undefined;
  };

  const cut = (stream: Stream, way: Way): void => {
    stream.cut = true;
    note("cut", stream);
    if (current === stream) current = undefined;
    // What was written before it still arrives: the status comes behind it.
    stream.downstream.emit("error", { code: status.UNAVAILABLE, details: "cut" });
    if (way.server === "late") unaware.add(stream);
    else if (way.message === "lost") hangUp(stream);
    // Likewise towards the server.
    else stream.upstream?.call.end();
  };

  const forward = (stream: Stream, from: Side, bytes: Buffer): void => {
    if (from === "client") stream.upstream?.call.write(bytes);
    else {
      stream.answered = true;
      stream.downstream.write(bytes);
    }
  };

  const pass = (stream: Stream, from: Side, bytes: Buffer): void => {
    const message = { what: "message", atMs: performance.now(), stream: stream.id, from, bytes } as const;
    if (stream.cut) {
      if (from === "server") passed.push({ ...message, fate: "unheard" });
      return;
    }
    const last = armed !== undefined && stream === current && --armed.left === 0 ? armed : undefined;
    const fate = last?.way.message ?? "delivered";
    passed.push({ ...message, fate });
    if (fate === "delivered") forward(stream, from, bytes);
    if (last === undefined) return;
    last.done = true;
    armed = undefined;
    cut(stream, last.way);
    last.onCut();
  };

  const connect = (stream: Stream): void => {
    const { downstream, path } = stream;
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": -1,
      "grpc.use_local_subchannel_pool": 1,
    });
    const call = client.makeBidiStreamRequest(path, asIs, asIs);
    stream.upstream = { call, client };
    current = stream;
    note("opened", stream);
    call.on("data", (bytes: Buffer) => setTimeout(() => pass(stream, "server", bytes), latencyMs));
    call.on("status", ({ code, details }) => {
      client.close();
      if (stream.cut) return;
      stream.cut = true;
      note("ended", stream);
      downstream.emit("error", { code: code === status.OK ? status.UNAVAILABLE : code, details });
    });
    call.on("error", () => {});
    downstream.on("data", (bytes: Buffer) => pass(stream, "client", bytes));
  };

  const serve = (path: string) => (downstream: Downstream) => {
    const stream: Stream = { id: ++streams, downstream, path, upstream: undefined, answered: false, cut: false };
    const gone = (): void => {
      if (stream.cut) return;
      stream.cut = true;
      if (current === stream) current = undefined;
      note("ended", stream);
      hangUp(stream);
    };
    downstream
      .on("cancelled", gone)
      .on("end", gone)
      .on("error", () => {});
    if (held) waiting.push(stream);
    else connect(stream);
  };

  const server = new Server({ "grpc.max_receive_message_length": -1 });
  const paths = { sotw: `${service}/StreamAggregatedResources`, delta: `${service}/DeltaAggregatedResources` };
  server.addService(
    { sotw: methodOf(paths.sotw), delta: methodOf(paths.delta) },
    { sotw: serve(paths.sotw), delta: serve(paths.delta) },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, real) =>
      error === null ? resolve(real) : reject(error),
    );
  });

  const forget = (): void => {
    for (const stream of unaware) hangUp(stream);
    unaware.clear();
  };

  return {
    port: bound,
    passed,
    arm(k, way, onCut = () => {}) {
      const mine = { left: k, way, onCut, done: false };
      armed = mine;
      return {
        get done() {
          return mine.done;
        },
        disarm: () => {
          if (armed === mine) armed = undefined;
        },
      };
    },
    cut(way) {
      if (current !== undefined) cut(current, way);
    },
    hold() {
      held = true;
    },
    release() {
      held = false;
      for (const stream of waiting.splice(0)) if (!stream.cut) connect(stream);
    },
    forget,
    clear: () => {
      passed.length = 0;
    },
    isQuietFor: (ms) =>
      current?.answered === true && (passed.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < performance.now() - ms,
    close() {
      forget();
      server.forceShutdown();
      if (current !== undefined) hangUp(current);
    },
  };
}
