import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { type CallPorts, nobody, OpenCall, type ServeCall } from "./call.ts";

/** What a connection is called, beside whatever its calls are to know of it. */
export interface GrpcConnection {
  /** `address:port` of the client. */
  readonly peer: string;
}

export interface GrpcServerPorts<C> extends CallPorts {
  /** Who serves which path, `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, ServeCall<C>>;
  readonly maxStreamsPerConnection: number;
}

/**
 * What a client may send before it must wait until it is read, of each stream and of all of a connection together: what a proxy with
 * 1,000 clusters says when it comes back fits. HTTP/2's own 64 KiB would take it several round trips.
 */
const windowBytes = 256 * 1024;

/** Speaks gRPC over a socket that a client has opened: plain, or with its TLS handshake done. */
export type SpeakGrpc<C> = (socket: Socket, connection: C) => ServerHttp2Session;

/** Thin framing over `node:http2`; docs/adr/0020 says why not a library. */
export function createGrpcServer<C extends GrpcConnection>(ports: GrpcServerPorts<C>): SpeakGrpc<C> {
  const { methods, maxStreamsPerConnection: maxConcurrentStreams } = ports;
  const unknownMethod = (path: string): ServeCall<C> => {
    return (call) => {
      call.end("UNIMPLEMENTED", `The server does not implement the method ${path}`);
      return nobody;
    };
  };

  return (socket, connection) => {
    const session = performServerHandshake(socket, {
      settings: { maxConcurrentStreams, initialWindowSize: windowBytes },
      // What waits is counted and bounded by ourselves; Node would refuse new streams meanwhile.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    // Whatever it is, the socket closes after it.
    session.on("error", () => {});
    session.setLocalWindowSize(windowBytes);
    session.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const path = headers[":path"] ?? "";
      if (!isGrpc(headers)) refuse(stream);
      else
        new OpenCall(stream, headers, connection.peer, ports).serve(
          methods.get(path) ?? unknownMethod(path),
          connection,
        );
    });
    return session;
  };
}

const isGrpc = ({ "content-type": type = "" }: IncomingHttpHeaders): boolean => /^application\/grpc($|[+;])/.test(type);

/** Somebody who speaks another protocol reads no gRPC status. */
function refuse(stream: ServerHttp2Stream): void {
  stream.on("error", () => {}).resume();
  stream.respond({ [constants.HTTP2_HEADER_STATUS]: 415 }, { endStream: true });
}
