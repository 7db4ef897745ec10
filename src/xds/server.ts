import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type SecureContextOptions } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createAdmission } from "./admission.ts";
import { type Connection, createConnections, type StreamBytes } from "./connections.ts";
import { discoveryMethods } from "./discovery-services.ts";
import { type GrpcCall, nobody } from "./grpc/call.ts";
import { createGrpcServer } from "./grpc/server.ts";
import { createInlet } from "./inlet.ts";
import { createXdsMetrics } from "./metrics.ts";
import { createNodeStreams } from "./node-streams.ts";
import { defaultXdsOptions, type XdsOptions } from "./options.ts";
import { createPastStreams } from "./past-streams.ts";
import type { DeliveryRecorder, ResourceFeed } from "./ports.ts";
import { createRequestDecoders } from "./request-decoders.ts";
import { createRequestRate, type RequestRate } from "./request-rate.ts";
import { createResponseCache } from "./response-cache.ts";
import type { ServedService } from "./services/served-service.ts";
import { createSession, type Session, type StreamTransport } from "./session.ts";
import type { StreamKind } from "./stream-kind.ts";

export interface XdsServer {
  /** Listens; resolves with the port, which the system chooses for 0. Rejects when the address cannot be had. Plain without `tls`. */
  readonly listen: (host: string, port: number, tls?: SecureContextOptions) => Promise<number>;
  /** Takes no new connections and streams, ends the open ones batch by batch, and cuts off what is left after `withinMs`. */
  readonly drain: (withinMs: number) => Promise<void>;
  /** Cuts everything off at once. */
  readonly close: () => void;
}

export interface XdsServerPorts {
  readonly feed: ResourceFeed;
  readonly recorder: DeliveryRecorder;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  /** Who answers: instance and build, shown by the proxies. No secrets. */
  readonly identifier: string;
  readonly options?: Partial<XdsOptions>;
  /** What else is served under the same address. */
  readonly services?: readonly ServedService[];
}

/** Connections that the system may hold until we take them: all proxies may come at once. */
const backlog = 4_096;

/** How long a TLS handshake may take. */
const handshakeMs = 10_000;

/** The steps in which a drain ends its streams: a proxy that comes back finds a replica that is not overrun. */
const drainBatches = 10;

export function createXdsServer(ports: XdsServerPorts): XdsServer {
  const { clock, log } = ports;
  const options: XdsOptions = { ...defaultXdsOptions, ...ports.options };
  const metrics = createXdsMetrics(ports.metrics);
  const cache = createResponseCache({
    identifier: ports.identifier,
    firstSequence: clock.now(),
    maxBytes: options.maxCachedBytes,
    onEncode: ({ short }) => metrics.encoded(short),
  });
  const connections = createConnections({ clock, log, metrics, options, onFreed: () => admission.freed() });
  const admission = createAdmission({ clock, metrics, options, bytesInFlight: connections.bytesInFlight });
  const past = createPastStreams(clock, options);
  const decoders = createRequestDecoders(clock, options.maxRememberedRequestBytes);
  const sessionPorts = {
    ...{ ...ports, cache, metrics, options, past },
    decoders,
    nodes: createNodeStreams(options.maxStreamsPerNode),
  };
  const { requestsPerSecond: perSecond, requestBurst: burst } = options;
  const sessions = new Set<Session>();
  let streamCount = 0;
  let draining = false;

  const serve = (kind: StreamKind) => (call: GrpcCall, connection: Connection) => {
    if (draining) {
      metrics.ended("UNAVAILABLE");
      call.end("UNAVAILABLE", "the control plane is shutting down");
      return nobody;
    }
    streamCount++;
    const rate = createRequestRate({ clock, perSecond, burst });
    const bytes = connection.open({
      room: (room) => session.room(room),
      aged: () => session.end("the connection has reached its age; come back on another one"),
    });
    const transport = transportOf(call, bytes, rate, connection);
    const session = createSession(kind, String(streamCount), transport, sessionPorts);
    const inlet = createInlet({ session, source: call, rate, admission, metrics, clock, options });
    sessions.add(session);
    if (!bytes.hasRoom()) session.room(false);
    return {
      receive: inlet.receive,
      halfClosed: () => {
        inlet.close();
        session.close();
        call.end("OK");
      },
      gone: () => {
        inlet.close();
        session.close();
        sessions.delete(session);
        bytes.close();
      },
    };
  };

  const speak = createGrpcServer<Connection>({
    clock,
    maxRequestBytes: options.maxRequestBytes,
    maxStreamsPerConnection: options.maxStreamsPerConnection,
    methods: new Map([
      ...discoveryMethods(serve),
      ...(ports.services ?? []).flatMap(({ methods }) => Object.entries(methods)),
    ]),
  });
  const listeners: (() => void)[] = [];
  const stopListening = (): void => {
    draining = true;
    for (const stop of listeners.splice(0)) stop();
  };

  const endBatches = (left: readonly Session[], size: number, pauseMs: number): void => {
    for (const session of left.slice(0, size)) session.end("the control plane is shutting down");
    const rest = left.slice(size);
    if (rest.length > 0) clock.after(pauseMs, () => endBatches(rest, size, pauseMs));
  };

  const close = (): void => {
    stopListening();
    for (const session of sessions) session.close();
    sessions.clear();
    admission.close();
    past.close();
    connections.destroyAll();
  };

  return {
    listen: (host, port, tls) =>
      new Promise((resolve, reject) => {
        const begin = (over: Socket, connection: Connection): void => connection.speaks(speak(over, connection));
        const shakeHands = tls === undefined ? begin : handshakes(tls, begin);
        const listener = createServer({ noDelay: true }, (socket) => {
          // What goes wrong with it shows in its end.
          socket.on("error", () => {});
          const connection = connections.accept(socket);
          if (connection !== undefined) shakeHands(socket, connection);
        });
        listener.on("error", (error) => {
          log.error({ err: error }, "xDS clients cannot connect");
          reject(error);
        });
        listener.listen({ host, port, backlog }, () => {
          const address = listener.address();
          listeners.push(() => listener.close());
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),

    drain: async (withinMs) => {
      stopListening();
      for (const { end } of ports.services ?? []) end?.();
      connections.sendAway();
      const inTime = clock.after(withinMs, close);
      // Half of the time is for ending the streams, half for the answers to arrive.
      endBatches([...sessions], Math.ceil(sessions.size / drainBatches), withinMs / 2 / drainBatches);
      await connections.empty();
      inTime();
    },

    close,
  };
}

const transportOf = (
  call: GrpcCall,
  bytes: StreamBytes,
  rate: RequestRate,
  connection: Connection,
): StreamTransport => ({
  peer: call.peer,
  heard: () => connection.heard(),
  write: (framed, onLeft) => {
    rate.earn();
    const left = bytes.given(framed.length);
    call.write(framed, () => {
      left();
      onLeft();
    });
  },
  end: (status, reason) => call.end(status, reason),
});

type Begin = (socket: Socket, connection: Connection) => void;

/** Begins with the secure socket once there is one; a connection that does not get there in time is closed. */
function handshakes(options: SecureContextOptions, begin: Begin): Begin {
  const shaking = new Map<string, Connection>();
  const server = createTlsServer({ ...options, ALPNProtocols: ["h2"], handshakeTimeout: handshakeMs }, (secure) => {
    const connection = shaking.get(`${secure.remoteAddress}:${secure.remotePort}`);
    if (connection !== undefined) begin(secure, connection);
  });
  server.on("tlsClientError", (_, secure) => secure.destroy());
  return (socket, connection) => {
    shaking.set(connection.peer, connection);
    socket.once("close", () => shaking.delete(connection.peer));
    server.emit("connection", socket);
  };
}
