import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Server as GrpcServer, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import { selfSigned } from "../../support/self-signed.ts";
import { asIs, grpcPath, type Heard, type Speech } from "./exchange.ts";

type Listen = (port: number, who: string) => Promise<unknown>;

/** Of both families. */
const any = "::";

const plain = (address = ""): string => address.replace("::ffff:", "");

/** Of `address:port`, or `[address]:port`. */
const addressIn = (peer: string): string => plain(peer.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));

const requests =
  (who: string): RequestListener =>
  ({ socket, httpVersion }, response) => {
    const heard: Heard = { who, peer: plain(socket.remoteAddress), as: `HTTP/${httpVersion}` };
    response.end(JSON.stringify(heard));
  };

/** Says what it heard, and ends. */
const answer = (socket: Socket, heard: Heard & { readonly certificate?: string }): void => {
  socket.end(`${JSON.stringify(heard)}\n`);
};

/** Connections end whenever they like. */
const calm = (socket: Socket): Socket => socket.on("error", () => {});

const bytes = (who: string, socket: Socket, first: Buffer): void =>
  answer(socket, { who, peer: plain(socket.remoteAddress), as: `bytes ${String(first).trim()}` });

const listening = (server: Server, port: number): Promise<unknown> => once(server.listen(port, any), "listening");

export const servers: Readonly<Record<Speech, Listen>> = {
  http: (port, who) => listening(createHttpServer(requests(who)), port),

  http2: (port, who) => {
    const server = createHttp2Server((request, response) => {
      const { remoteAddress } = request.stream.session?.socket ?? {};
      const heard: Heard = { who, peer: plain(remoteAddress), as: "HTTP/2.0" };
      response.end(JSON.stringify(heard));
    });
    return listening(server, port);
  },

  grpc: (port, who) => {
    const server = new GrpcServer();
    const call = { path: grpcPath, requestStream: false, responseStream: false } as const;
    const serializers = {
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    server.addService(
      { call: { ...call, ...serializers } },
      {
        call: (call: ServerUnaryCall<Buffer, Buffer>, done: (error: null, bytes: Buffer) => void) => {
          const heard: Heard = { who, peer: addressIn(call.getPeer()), as: "gRPC" };
          done(null, Buffer.from(JSON.stringify(heard)));
        },
      },
    );
    return new Promise<void>((resolve, reject) => {
      server.bindAsync(`[${any}]:${port}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  },

  tls: (port, who) => {
    const { key, certificate } = selfSigned();
    const server = createTlsServer({ key, cert: certificate }, (socket) => {
      const own = socket.getCertificate();
      const fingerprint = own !== null && "fingerprint256" in own ? String(own.fingerprint256) : "";
      calm(socket);
      answer(socket, { who, peer: plain(socket.remoteAddress), as: "TLS", certificate: fingerprint });
    });
    return listening(server, port);
  },

  bytes: (port, who) =>
    listening(
      createServer((socket) => calm(socket).once("data", (first) => bytes(who, socket, first))),
      port,
    ),

  greeting: (port, who) =>
    listening(
      createServer((socket) => {
        socket.write(`I am ${who}\n`);
        calm(socket).once("data", (first) => bytes(who, socket, first));
      }),
      port,
    ),

  any: (port, who) => {
    const http = createHttpServer(requests(who));
    return listening(
      createServer((socket) => {
        calm(socket).once("data", (first) => {
          if (!/^[A-Z]+ /.test(String(first))) return bytes(who, socket, first);
          socket.unshift(first);
          http.emit("connection", socket);
        });
      }),
      port,
    );
  },
};
