import { createServer } from "node:net";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createAdmission } from "./admission.ts";
import { createConnections, type StreamBytes } from "./connections.ts";
import { type DiscoveryCall, discoveryServices } from "./discovery-services.ts";
import { watchSessions } from "./http2-sessions.ts";
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
import { createSession, type Session, type SessionStatus, type StreamTransport } from "./session.ts";
import type { StreamKind } from "./stream-kind.ts";

export interface XdsServer {
  /** Listens; resolves with the port, which the system chooses for 0. Rejects when the address cannot be had. */
  readonly listen: (host: string, port: number, credentials?: ServerCredentials) => Promise<number>;
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

  const serve = (kind: StreamKind) => (call: DiscoveryCall) => {
    const peer = call.getPeer();
    const connection = connections.of(peer);
    // Cut off before its first stream came to us.
    if (connection === undefined) return endCall(call, "UNAVAILABLE", "the connection is gone");
    streamCount++;
    const rate = createRequestRate({ clock, perSecond, burst });
    const bytes = connection.open({
      room: (room) => session.room(room),
      aged: () => session.end("the connection has reached its age; come back on another one"),
    });
    const transport = transportOf(call, peer, bytes, rate, () => connection.heard());
    const session = createSession(kind, String(streamCount), transport, sessionPorts);
    const inlet = createInlet({ session, source: call, rate, admission, metrics, clock, options });
    const gone = (): void => {
      inlet.close();
      session.close();
      sessions.delete(session);
      bytes.close();
    };
    call
      .on("close", gone)
      .on("cancelled", gone)
      .on("error", () => inlet.close());
    if (draining) return session.end("the control plane is shutting down");
    sessions.add(session);
    if (!bytes.hasRoom()) session.room(false);
    call.on("data", inlet.receive);
    // The client has closed its side, or is gone.
    call.on("end", () => {
      session.close();
      call.end();
    });
  };

  const server = new Server(serverOptions(options));
  for (const { definition, handlers } of [...discoveryServices(serve), ...(ports.services ?? [])]) {
    server.addService(definition, handlers);
  }
  const listeners: (() => void)[] = [];
  // Subscribed only while it is needed: the process knows of it.
  let forgetSessions = (): void => {};
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
    server.forceShutdown();
    connections.destroyAll();
    decoders.close();
    forgetSessions();
  };

  return {
    listen: (host, port, credentials = ServerCredentials.createInsecure()) =>
      new Promise((resolve, reject) => {
        forgetSessions();
        forgetSessions = watchSessions(connections.speaks);
        const injector = server.createConnectionInjector(credentials);
        const listener = createServer({ noDelay: true }, (socket) => {
          // What goes wrong with it shows in its end.
          socket.on("error", () => {});
          if (connections.accept(socket)) injector.injectConnection(socket);
        });
        listener.on("error", (error) => {
          log.error({ err: error }, "xDS clients cannot connect");
          reject(error);
        });
        listener.listen({ host, port }, () => {
          const address = listener.address();
          listeners.push(() => listener.close());
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),

    drain: async (withinMs) => {
      stopListening();
      for (const { end } of ports.services ?? []) end?.();
      // Tells the clients to go; nobody but us ends their streams.
      server.tryShutdown((error) => {
        if (error) log.warn({ err: error }, "the xDS server did not shut down cleanly");
      });
      const inTime = clock.after(withinMs, close);
      // Half of the time is for ending the streams, half for the answers to arrive.
      endBatches([...sessions], Math.ceil(sessions.size / drainBatches), withinMs / 2 / drainBatches);
      await connections.empty();
      decoders.close();
      forgetSessions();
      inTime();
    },

    close,
  };
}

function transportOf(
  call: DiscoveryCall,
  peer: string,
  connection: StreamBytes,
  rate: RequestRate,
  heard: () => number,
): StreamTransport {
  return {
    peer,
    heard,
    write: (bytes, onLeft) => {
      rate.earn();
      const left = connection.given(bytes.length);
      call.write(bytes, (error?: Error | null) => {
        left();
        if (!error) onLeft();
      });
    },
    end: (code, reason) => endCall(call, code, reason),
  };
}

function endCall(call: DiscoveryCall, code: SessionStatus, reason: string): void {
  if (code === "OK") call.end();
  else call.emit("error", { code: status[code], details: reason.toWellFormed() });
}

/** Keepalive and age are ours (`connections.ts`), not grpc-js's. */
const serverOptions = (options: XdsOptions) => ({
  "grpc.max_receive_message_length": options.maxRequestBytes,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
  "grpc.enable_channelz": 0,
});
