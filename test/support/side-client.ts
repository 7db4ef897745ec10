import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import { systemClock } from "../../src/base/clock.ts";
import { createGrpcServer, type GrpcConnection } from "../../src/xds/grpc/server.ts";
import type { ServedService } from "../../src/xds/services/served-service.ts";
import { waitFor } from "./wait-for.ts";

/** A raw call to a service beside discovery: every method is a stream both ways, as on the wire. */
export interface SideCallClient<Q extends DescMessage, A extends DescMessage> {
  readonly send: (request: MessageInitShape<Q>) => void;
  readonly sendBytes: (bytes: Uint8Array) => void;
  readonly next: () => Promise<MessageShape<A>>;
  /** What came so far. */
  readonly received: readonly MessageShape<A>[];
  readonly status: () => Promise<StatusObject>;
  readonly halfClose: () => void;
  readonly cancel: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export interface SideClient {
  readonly open: <Q extends DescMessage, A extends DescMessage>(
    path: string,
    schemas: { readonly request: Q; readonly answer: A },
  ) => SideCallClient<Q, A>;
  readonly close: () => void;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export function connectSide(port: number): SideClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    open: (path, schemas) => sideCallOf(client.makeBidiStreamRequest(path, asIs, asIs), schemas),
    close: () => client.close(),
  };
}

/** What the methods of `SideCallClient` do, over a call that has begun. */
export function sideCallOf<Q extends DescMessage, A extends DescMessage>(
  call: ClientDuplexStream<Buffer, Buffer>,
  { request, answer }: { readonly request: Q; readonly answer: A },
): SideCallClient<Q, A> {
  const received: MessageShape<A>[] = [];
  let taken = 0;
  let status: StatusObject | undefined;
  call.on("data", (bytes: Buffer) => received.push(fromBinary(answer, bytes)));
  call.on("status", (ended) => {
    status = ended;
  });
  call.on("error", () => {});
  return {
    send: (fields) => call.write(Buffer.from(toBinary(request, create(request, fields)))),
    sendBytes: (bytes) => call.write(Buffer.from(bytes)),
    async next() {
      await waitFor(() => received.length > taken || status, { what: `a ${answer.name}`, withinMs: 6_000 });
      const message = received[taken++];
      if (message === undefined) throw new Error(`the call ended instead: ${status?.code} ${status?.details}`);
      return message;
    },
    received,
    status: () => waitFor(() => status, { what: "the end of the call", withinMs: 5_000 }),
    halfClose: () => call.end(),
    cancel: () => call.cancel(),
    pause: () => call.pause(),
    resume: () => call.resume(),
  };
}

/** A server with nothing but these services. */
export async function serveSide(
  services: readonly ServedService[],
): Promise<{ readonly port: number; readonly close: () => void }> {
  const methods = new Map(services.flatMap((service) => Object.entries(service.methods)));
  const speak = createGrpcServer<GrpcConnection>({
    ...{ clock: systemClock, methods },
    ...{ maxRequestBytes: 16 * 1024 * 1024, maxStreamsPerConnection: 1_000 },
  });
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    speak(socket, { peer: `${socket.remoteAddress}:${socket.remotePort}` });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const close = (): void => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (listener.address() as AddressInfo).port, close };
}
