import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import { resourceType, type TypeName } from "../../src/envoy/resource-types.ts";
import { DiscoveryRequestSchema } from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import type { NodeFields } from "../support/xds-client.ts";

export const adsPath = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** A peer that speaks HTTP/2 and answers its pings, and reads no response until it is told to. */
export function connectRaw(port: number) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return {
    session,
    open: (path = adsPath): ClientHttp2Stream => {
      const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
      const stream = session.request(headers, { endStream: false });
      stream.on("error", () => {});
      return stream;
    },
  };
}

/** A message as gRPC frames it. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export const requestBytes = (type: TypeName, node: NodeFields, names: readonly string[] = []): Buffer =>
  Buffer.from(
    toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { node, typeUrl: resourceType(type).url, resourceNames: [...names] }),
    ),
  );

/** A proxy before the server. While it is a black hole, bytes go nowhere, and nobody is told. */
export async function startBlackHole(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => {}).on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    swallow: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    goOn: () => {
      const [near, far] = [...sockets];
      if (near === undefined || far === undefined) throw new Error("no connection");
      near.pipe(far);
      far.pipe(near);
    },
  };
}
