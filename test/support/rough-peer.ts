import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { status } from "@grpc/grpc-js";

/** A client of gRPC that speaks bare HTTP/2, and may break any rule of it. */
export interface RoughPeer {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly open: (path: string, headers?: OutgoingHttpHeaders) => RoughCall;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

export interface RoughCall {
  readonly stream: ClientHttp2Stream;
  /** gRPC messages, each framed as it should be. */
  readonly send: (...messages: readonly Uint8Array[]) => void;
  /** Messages that came so far. */
  readonly messages: readonly Buffer[];
  /** Resolves when so many messages have come, or the call is over. */
  readonly came: (count: number) => Promise<void>;
  /** The name of the gRPC status; undefined where there was none: it was reset, or its connection lost. */
  readonly ended: Promise<string | undefined>;
}

const statusNames: ReadonlyMap<string, string> = new Map(
  Object.entries(status).map(([name, code]) => [String(code), name]),
);

export function connectRough(port: number): RoughPeer {
  const socket = connectSocket(port, "127.0.0.1");
  // With more requests waiting than Node allows by itself, it resets its own streams.
  const session = connect("http://127.0.0.1", { createConnection: () => socket, maxSessionMemory: 1_000 });
  session.on("error", () => {});
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  return {
    session,
    socket,
    closed,
    open(path, headers = {}) {
      const common = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
      return roughCall(session.request({ ...common, ...headers }, { endStream: false }));
    },
  };
}

function roughCall(stream: ClientHttp2Stream): RoughCall {
  const messages: Buffer[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  let rest = Buffer.alloc(0);
  let code: string | undefined;
  const readStatus = (headers: OutgoingHttpHeaders): void => {
    const found = headers["grpc-status"];
    if (found !== undefined) code ??= String(found);
  };
  stream.on("error", () => {});
  stream.on("response", readStatus).on("trailers", readStatus);
  // The other side has said its last word: as a client of gRPC does, say ours.
  stream.on("end", () => stream.end());
  stream.on("data", (part: Buffer) => {
    rest = Buffer.concat([rest, part]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      messages.push(Buffer.from(rest.subarray(5, end)));
      rest = rest.subarray(end);
    }
    for (const look of waiting) look();
  });
  const ended = new Promise<string | undefined>((resolve) => {
    stream.once("close", () => {
      over = true;
      for (const look of waiting) look();
      resolve(code === undefined ? undefined : (statusNames.get(code) ?? `status ${code}`));
    });
  });
  return {
    stream,
    messages,
    ended,
    send: (...parts) => void stream.write(Buffer.concat(parts.map(framed))),
    came: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (messages.length < count && !over) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A message as gRPC frames it. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
