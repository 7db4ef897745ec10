import type { DescMessage } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { type SideCallClient, sideCallOf } from "../../support/side-client.ts";
import { methodOf } from "../variants.ts";
import { type StreamOptions, XdsStream } from "./stream.ts";

/** One HTTP/2 connection to a server. */
export interface Connection {
  /** Opens a stream: of all types, or, where the variant has one stream a type, of `type`. */
  readonly open: (type: TypeName, options: StreamOptions) => XdsStream;
  /** Calls a method with one request and one answer, both as bytes; rejects with the status. */
  readonly call: (path: string, request: Uint8Array) => Promise<Buffer>;
  /** Begins a call of a service beside discovery, with streams both ways. */
  readonly begin: <Q extends DescMessage, A extends DescMessage>(
    path: string,
    schemas: { readonly request: Q; readonly answer: A },
  ) => SideCallClient<Q, A>;
  readonly close: () => void;
}

export interface ConnectionOptions {
  /** How often the client pings the server, in milliseconds; it gives the connection up when that is not answered. Default: never. */
  readonly pingMs?: number;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** `address` is `host:port`; in plain text. */
export function connect(address: string, { pingMs }: ConnectionOptions = {}): Connection {
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // Otherwise grpc-js shares one connection between clients of the same address.
    "grpc.use_local_subchannel_pool": 1,
    ...(pingMs !== undefined && { "grpc.keepalive_time_ms": pingMs }),
  });
  return {
    open: (type, options) =>
      new XdsStream(client.makeBidiStreamRequest(methodOf(options.variant, type), asIs, asIs), options),
    begin: (path, schemas) => sideCallOf(client.makeBidiStreamRequest(path, asIs, asIs), schemas),
    call: (path, request) =>
      new Promise((resolve, reject) => {
        const done = (error: ServiceError | null, answer?: Buffer): void => {
          if (error === null) resolve(answer ?? Buffer.alloc(0));
          else reject(error);
        };
        client.makeUnaryRequest(
          path,
          asIs,
          asIs,
          Buffer.from(request),
          new Metadata(),
          { deadline: Date.now() + 5_000 },
          done,
        );
      }),
    close: () => client.close(),
  };
}
