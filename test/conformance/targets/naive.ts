import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { resourceTypeOf } from "../../../src/envoy/resource-types.ts";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { createState } from "../state.ts";
import { allTypes, methodOf, variantOf } from "../variants.ts";
import { type Instance, type Target, unable } from "./target.ts";

type Call = ServerDuplexStream<Buffer, Buffer>;

/**
 * A state-of-the-world ADS server as somebody writes it on a first afternoon: it compares versions, so that it answers every NACK
 * again, and its nonce is its version. The suite must find that; this target is there to be refused.
 */
export function createNaiveTarget(): Target {
  return {
    name: "naive",
    can: new Set(["state", "raw"]),
    variants: new Set(["ads-sotw"]),
    types: new Set(allTypes),
    unchecked: {},
    times: { quietMs: 100, withinMs: 1_000 },
    start: startInstance,
    close: async () => {},
  };
}

async function startInstance(): Promise<Instance> {
  const state = createState();
  const server = new Server();
  const watchers = new Set<() => void>();
  let version = 1;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const serve = (call: Call): void => {
    const asked = new Map<string, readonly string[]>();
    const send = (typeUrl: string): void => {
      const type = resourceTypeOf(typeUrl)?.short;
      if (type === undefined) return;
      const names = asked.get(typeUrl) ?? [];
      const found = [...state.all(type)].filter(([name]) => names.length === 0 || names.includes(name));
      const resources = found.map(([, value]) => create(AnySchema, { typeUrl, value }));
      const response = create(DiscoveryResponseSchema, {
        typeUrl,
        resources,
        versionInfo: `${version}`,
        nonce: `${version}`,
      });
      call.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
    };
    const watcher = (): void => {
      for (const typeUrl of asked.keys()) send(typeUrl);
    };
    watchers.add(watcher);
    call.on("data", (bytes: Buffer) => {
      const { typeUrl, versionInfo, resourceNames } = fromBinary(DiscoveryRequestSchema, bytes);
      asked.set(typeUrl, resourceNames);
      if (versionInfo !== `${version}`) send(typeUrl);
    });
    call.on("end", () => call.end());
    call.on("error", () => {});
    call.on("close", () => watchers.delete(watcher));
  };
  const path = methodOf(variantOf("ads-sotw"), "CDS");
  const ways = { requestStream: true, responseStream: true } as const;
  const codecs = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService({ stream: { path, ...ways, ...codecs } }, { stream: serve });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, chosen: number): void => (error === null ? resolve(chosen) : reject(error));
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), bound);
  });
  return {
    address: `127.0.0.1:${port}`,
    change: async (change) => {
      state.apply(change);
      version++;
      for (const watcher of watchers) watcher();
    },
    touch: unable("touch"),
    release: unable("hold"),
    drain: unable("drain"),
    restart: unable("restart"),
    replica: unable("replica"),
    fail: unable("fail"),
    stats: unable("gauges"),
    receipt: unable("receipts"),
    loads: unable("load-totals"),
    close: async () => server.forceShutdown(),
  };
}
