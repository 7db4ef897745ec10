import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createXdsMetrics } from "./metrics.ts";
import { defaultXdsOptions, type XdsOptions } from "./options.ts";
import type { DeliveryRecorder, ResourceFeed } from "./ports.ts";
import { createResponseCache, type Variant } from "./response-cache.ts";
import { createSession, type Session, type StreamTransport } from "./session.ts";

export interface XdsServer {
  /** Listens; resolves with the port, which the system chooses for 0. Rejects when the address cannot be had. */
  readonly listen: (host: string, port: number, credentials?: ServerCredentials) => Promise<number>;
  /** Takes no new streams, ends the open ones batch by batch, and cuts off what is left after `withinMs`. */
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
}

const service = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** The bytes pass as they are: requests are read by the session, responses are ready. */
const asIs = (bytes: Buffer): Buffer => bytes;

const method = (name: string): MethodDefinition<Buffer, Buffer> => ({
  path: `${service}/${name}`,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const aggregatedDiscoveryService: ServiceDefinition<UntypedServiceImplementation> = {
  streamAggregatedResources: method("StreamAggregatedResources"),
  deltaAggregatedResources: method("DeltaAggregatedResources"),
};

/** The steps in which a drain ends its streams: a proxy that comes back finds a replica that is not overrun. */
const drainBatches = 10;

type Call = ServerDuplexStream<Buffer, Buffer>;

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
  const sessions = new Set<Session>();
  let streamCount = 0;
  let draining = false;

  const serve = (variant: Variant) => (call: Call) => {
    streamCount++;
    const session = createSession(variant, String(streamCount), transportOf(call), {
      ...ports,
      cache,
      metrics,
      options,
    });
    const gone = (): void => {
      session.close();
      sessions.delete(session);
    };
    call.on("close", gone).on("cancelled", gone).on("error", gone);
    if (draining) return session.end("the control plane is shutting down");
    sessions.add(session);
    call.on("data", (bytes: Buffer) => session.receive(bytes));
    // The client has closed its side, or is gone.
    call.on("end", () => {
      session.close();
      call.end();
    });
  };

  const server = new Server(serverOptions(options));
  server.addService(aggregatedDiscoveryService, {
    streamAggregatedResources: serve("sotw"),
    deltaAggregatedResources: serve("delta"),
  });

  const endBatches = (left: readonly Session[], size: number, pauseMs: number): void => {
    for (const session of left.slice(0, size)) session.end("the control plane is shutting down");
    const rest = left.slice(size);
    if (rest.length > 0) clock.after(pauseMs, () => endBatches(rest, size, pauseMs));
  };

  return {
    listen: (host, port, credentials = ServerCredentials.createInsecure()) =>
      new Promise((resolve, reject) => {
        const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
        server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
      }),

    drain: (withinMs) =>
      new Promise((resolve) => {
        draining = true;
        const cancel = clock.after(withinMs, () => server.forceShutdown());
        server.tryShutdown((error) => {
          cancel();
          if (error) log.warn({ err: error }, "the xDS server did not shut down cleanly");
          resolve();
        });
        // grpc-js waits for streams that nobody ends: half of the time is for ending them, half for the answers to arrive.
        endBatches([...sessions], Math.ceil(sessions.size / drainBatches), withinMs / 2 / drainBatches);
      }),

    close: () => {
      draining = true;
      for (const session of sessions) session.close();
      sessions.clear();
      server.forceShutdown();
    },
  };
}

function transportOf(call: Call): StreamTransport {
  return {
    peer: call.getPeer(),
    write: (bytes, onLeft) => {
      call.write(bytes, (error?: Error | null) => {
        if (!error) onLeft();
      });
    },
    end: (code, reason) => {
      if (code === "OK") call.end();
      else call.emit("error", { code: status[code], details: reason.toWellFormed() });
    },
  };
}

const serverOptions = (options: XdsOptions) => ({
  "grpc.max_receive_message_length": options.maxRequestBytes,
  "grpc.max_send_message_length": -1,
  "grpc.keepalive_time_ms": options.keepaliveIntervalMs,
  "grpc.keepalive_timeout_ms": options.keepaliveTimeoutMs,
  "grpc.max_concurrent_streams": options.maxStreamsPerConnection,
  "grpc.enable_channelz": 0,
});
