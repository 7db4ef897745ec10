import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
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
  /** Bytes that came from the peer so far. A living peer answers pings, so this grows even when it says nothing. */
  readonly heard: () => number;
  readonly open: (stream: ConnectedStream) => StreamBytes;
}

/** All connections of the server: how many bytes wait for each, whether it takes them, and how old it is. */
export interface Connections {
  /** False: there are too many, or it is gone already; the socket is closed. */
  readonly accept: (socket: ConnectionSocket) => boolean;
  /** By the address of the peer as `address:port`. */
  readonly of: (peer: string) => Connection | undefined;
  /** Given by all streams, and not left yet. */
  readonly bytesInFlight: () => number;
  /** Resolves when the last one is closed. */
  readonly empty: () => Promise<void>;
  readonly destroyAll: () => void;
}

/** What is used of a socket; the counters go on counting when HTTP/2 or TLS has taken it over. */
export type ConnectionSocket = Pick<
  Socket,
  "remoteAddress" | "remotePort" | "bytesRead" | "bytesWritten" | "destroy" | "once"
>;

export interface ConnectionsPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: XdsMetrics;
  readonly options: Pick<XdsOptions, "maxConnections" | "maxConnectionBytes" | "stallMs" | "maxConnectionAgeMs">;
  /** Bytes have left, or will never. */
  readonly onFreed: () => void;
}

export function createConnections(ports: ConnectionsPorts): Connections {
  const { clock, log, metrics, options } = ports;
  const open = new Map<string, OpenConnection>();
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
        return false;
      }
      const peer = `${remoteAddress}:${remotePort}`;
      const connection = new OpenConnection(socket, options, clock, count, () => {
        metrics.stalled();
        log.warn({ peer, bytes: connection.waiting, ms: options.stallMs }, "a connection took no bytes; it was closed");
        socket.destroy();
      });
      open.set(peer, connection);
      metrics.connections(open.size);
      socket.once("close", () => {
        connection.close();
        open.delete(peer);
        full = false;
        metrics.connections(open.size);
        if (open.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      });
      return true;
    },
    of: (peer) => open.get(peer),
    bytesInFlight: () => inFlight,
    empty: () => (open.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    destroyAll: () => {
      for (const connection of open.values()) connection.destroy();
    },
  };
}

class OpenConnection implements Connection {
  readonly #socket: ConnectionSocket;
  readonly #maxBytes: number;
  readonly #count: (bytes: number) => void;
  readonly #stall: ReturnType<typeof createStallWatch>;
  readonly #stopAge: () => void;
  readonly #streams = new Set<ConnectedStream>();
  #waiting = 0;
  #room = true;

  constructor(
    socket: ConnectionSocket,
    options: ConnectionsPorts["options"],
    clock: Clock,
    count: (bytes: number) => void,
    onStall: () => void,
  ) {
    this.#socket = socket;
    this.#maxBytes = options.maxConnectionBytes;
    this.#count = count;
    this.#stall = createStallWatch({ clock, stallMs: options.stallMs, written: () => socket.bytesWritten, onStall });
    this.#stopAge = clock.after(options.maxConnectionAgeMs * streamAgeFactor(), () => {
      for (const stream of [...this.#streams]) stream.aged();
    });
  }

  /** Bytes given and not left. */
  get waiting(): number {
    return this.#waiting;
  }

  heard(): number {
    return this.#socket.bytesRead;
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

  close(): void {
    this.#stopAge();
    this.#stall.close();
  }

  #add(bytes: number): void {
    this.#waiting += bytes;
    this.#count(bytes);
    if (bytes > 0) this.#stall.waits();
    else if (this.#waiting === 0) this.#stall.idle();
    else this.#stall.left();
    const room = this.#waiting <= (this.#room ? this.#maxBytes : this.#maxBytes / 2);
    if (room === this.#room) return;
    this.#room = room;
    for (const stream of [...this.#streams]) {
      // A stream that makes use of the room may end it, and then all have heard of that.
      if (this.#room !== room) break;
      stream.room(room);
    }
  }
}

/** After the GOAWAY, which grpc-js sends at 0.9 to 1.1: whoever comes back does so on a new connection. Spread, so that not all come at once. */
const streamAgeFactor = (): number => 1.1 + randomInt(2_000) / 10_000;
