import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type Http2Session, startKeepalive } from "./keepalive.ts";
import type { XdsMetrics } from "./metrics.ts";
import type { XdsOptions } from "./options.ts";
import { createStallWatch } from "./stall-watch.ts";

/** A stream, as its connection sees it. */
export interface ConnectedStream {
  /** Whether there is room for more bytes has changed. */
  readonly room: (room: boolean) => void;
  /** The connection has reached its age. */
  readonly aged: () => void;
}

/** What one stream has given to its connection. */
export interface StreamBytes {
  readonly hasRoom: () => boolean;
  /** These bytes wait from now on; the returned function says that they have left. */
  readonly given: (bytes: number) => () => void;
  /** The stream is gone, and what still waited with it. */
  readonly close: () => void;
}

export interface Connection {
  /** `address:port` of the other end. */
  readonly peer: string;
  /** HTTP/2 is spoken over it from now on: the peer is pinged, and told when it is to go. */
  readonly speaks: (session: Http2Session) => void;
  /** Bytes that came from the peer so far. A living peer answers pings, so this grows even when it says nothing. */
  readonly heard: () => number;
  readonly open: (stream: ConnectedStream) => StreamBytes;
}

/** All connections of the server: how many bytes wait for each, whether it takes them, whether it lives, and how old it is. */
export interface Connections {
  /** Undefined: there are too many, or it is gone already; the socket is closed. */
  readonly accept: (socket: ConnectionSocket) => Connection | undefined;
  /** Given by all streams, and not left yet. */
  readonly bytesInFlight: () => number;
  /** Resolves when the last one is closed. */
  readonly empty: () => Promise<void>;
  /** Tells every peer that it is to open no more streams here; a connection without streams closes. */
  readonly sendAway: () => void;
  readonly destroyAll: () => void;
}

/** What is used of a socket; the counters go on counting when HTTP/2 or TLS has taken it over. */
export type ConnectionSocket = Pick<
  Socket,
  "remoteAddress" | "remotePort" | "bytesRead" | "bytesWritten" | "destroy" | "once"
>;

type ConnectionOptions = Pick<
  XdsOptions,
  "maxConnectionBytes" | "stallMs" | "maxConnectionAgeMs" | "keepaliveIntervalMs" | "keepaliveTimeoutMs"
>;

export interface ConnectionsPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: XdsMetrics;
  readonly options: ConnectionOptions & Pick<XdsOptions, "maxConnections">;
  /** Bytes have left, or will never. */
  readonly onFreed: () => void;
}

export function createConnections(ports: ConnectionsPorts): Connections {
  const { clock, log, metrics, options } = ports;
  const open = new Set<OpenConnection>();
  let waiting: (() => void)[] = [];
  let inFlight = 0;
  let full = false;

  const count = (bytes: number): void => {
    inFlight += bytes;
    metrics.inFlight(inFlight);
    if (bytes < 0) ports.onFreed();
  };

  /** Said once each time that the limit is met: whoever is turned away comes again and again. */
  const turnAway = (peer: string): void => {
    metrics.turnedAway("connections");
    if (!full) log.warn({ peer, connections: open.size }, "there are too many connections; new ones are closed");
    full = true;
  };

  return {
    accept(socket) {
      const { remoteAddress, remotePort } = socket;
      if (remoteAddress === undefined || open.size >= options.maxConnections) {
        if (remoteAddress !== undefined) turnAway(remoteAddress);
        socket.destroy();
        return undefined;
      }
      const peer = `${remoteAddress}:${remotePort}`;
      const connection = new OpenConnection(peer, socket, options, clock, count, () => {
        metrics.stalled();
        log.warn({ peer, bytes: connection.waiting, ms: options.stallMs }, "a connection took no bytes; it was closed");
        socket.destroy();
      });
      open.add(connection);
      metrics.connections(open.size);
      socket.once("close", () => {
        connection.close();
        open.delete(connection);
        full = false;
        metrics.connections(open.size);
        if (open.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      });
      return connection;
    },
    bytesInFlight: () => inFlight,
    empty: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    sendAway: () => {
      for (const connection of open) connection.sendAway();
    },
    destroyAll: () => {
      for (const connection of open) connection.destroy();
    },
  };
}

class OpenConnection implements Connection {
  readonly peer: string;
  readonly #socket: ConnectionSocket;
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #count: (bytes: number) => void;
  readonly #stall: ReturnType<typeof createStallWatch>;
  readonly #streams = new Set<ConnectedStream>();
  #session: Http2Session | undefined;
  #stopAge: () => void;
  #stopKeepalive: () => void = () => {};
  #waiting = 0;
  #room = true;

  constructor(
    peer: string,
    socket: ConnectionSocket,
    options: ConnectionOptions,
    clock: Clock,
    count: (bytes: number) => void,
    onStall: () => void,
  ) {
    this.peer = peer;
    this.#socket = socket;
    this.#options = options;
    this.#clock = clock;
    this.#count = count;
    this.#stall = createStallWatch({ clock, stallMs: options.stallMs, written: () => socket.bytesWritten, onStall });
    this.#stopAge = clock.after(options.maxConnectionAgeMs * ageFactor(), () => this.#retire());
  }

  /** Bytes given and not left. */
  get waiting(): number {
    return this.#waiting;
  }

  heard(): number {
    return this.#socket.bytesRead;
  }

  speaks(session: Http2Session): void {
    this.#session = session;
    const { keepaliveIntervalMs: intervalMs, keepaliveTimeoutMs: timeoutMs } = this.#options;
    const onDead = (): void => this.destroy();
    this.#stopKeepalive = startKeepalive({ clock: this.#clock, session, intervalMs, timeoutMs, onDead });
  }

  open(stream: ConnectedStream): StreamBytes {
    this.#streams.add(stream);
    let own = 0;
    const less = (bytes: number): void => {
      own -= bytes;
      this.#add(-bytes);
    };
    return {
      hasRoom: () => this.#room,
      given: (bytes) => {
        own += bytes;
        this.#add(bytes);
        return () => {
          // What was written off when its stream ended must not be counted twice.
          if (own > 0) less(bytes);
        };
      },
      close: () => {
        this.#streams.delete(stream);
        if (own > 0) less(own);
      },
    };
  }

  destroy(): void {
    this.#socket.destroy();
  }

  sendAway(): void {
    if (this.#session === undefined) this.destroy();
    else if (!this.#session.closed) this.#session.close();
  }

  close(): void {
    this.#stopAge();
    this.#stopKeepalive();
    this.#stall.close();
  }

  /** The peer hears that it is to go before its streams end, so that it comes back on another connection. */
  #retire(): void {
    const { maxConnectionAgeMs, stallMs } = this.#options;
    // Our own streams end now; this is for what else is served, and for who does not take the end.
    this.#stopAge = this.#clock.after(maxConnectionAgeMs / 2 + stallMs, () => this.destroy());
    this.sendAway();
    for (const stream of [...this.#streams]) stream.aged();
  }

  #add(bytes: number): void {
    this.#waiting += bytes;
    this.#count(bytes);
    if (bytes > 0) this.#stall.waits();
    else if (this.#waiting === 0) this.#stall.idle();
    else this.#stall.left();
    const { maxConnectionBytes } = this.#options;
    const room = this.#waiting <= (this.#room ? maxConnectionBytes : maxConnectionBytes / 2);
    if (room === this.#room) return;
    this.#room = room;
    for (const stream of [...this.#streams]) {
      // A stream that makes use of the room may end it, and then all have heard of that.
      if (this.#room !== room) break;
      stream.room(room);
    }
  }
}

/** Spread, so that not all come back at once. */
const ageFactor = (): number => 0.9 + randomInt(2_000) / 10_000;
