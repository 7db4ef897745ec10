import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { resourceType, resourceTypeOf, type TypeName } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { instanceOf } from "./example-rules.ts";

/*
 * Proxies that take whatever comes, for benches: `proxies.ts HOST:PORT COUNT ROUTES`. Accepts everything until it is told to
 * end; sends how many responses and bytes came.
 */

const [, , target = "", countText = "0", routes = ""] = process.argv;
const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";
const asIs = (bytes: Buffer): Buffer => bytes;
const wanted: readonly (readonly [TypeName, readonly string[]])[] = [
  ["CDS", []],
  ["LDS", []],
  ["RDS", [routes]],
];
const clients: Client[] = [];
const calls: ClientDuplexStream<Buffer, Buffer>[] = [];
let responses = 0;
let bytes = 0;

function connect(index: number): Promise<void> {
  const client = new Client(target, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });
  clients.push(client);
  const call = client.makeBidiStreamRequest(method, asIs, asIs);
  calls.push(call);
  const send = (request: Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1]) =>
    call.write(Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, request))));
  // Each is beside an instance of a service of its namespace.
  const id = `sidecar~${instanceOf(index)}~proxy-${index}.ns-${index}~ns-${index}.svc.cluster.local`;
  for (const [i, [type, names]] of wanted.entries()) {
    send({
      ...(i === 0 && { node: { id } }),
      typeUrl: resourceType(type).url,
      resourceNamesSubscribe: [...names],
    });
  }
  return new Promise((resolve, reject) => {
    call.on("error", reject);
    call.on("data", (message: Buffer) => {
      const { typeUrl, nonce } = fromBinary(DeltaDiscoveryResponseSchema, message);
      responses++;
      bytes += message.length;
      send({ typeUrl, responseNonce: nonce });
      if (resourceTypeOf(typeUrl)?.short === "RDS") resolve();
    });
  });
}

await Promise.all(Array.from({ length: Number(countText) }, (_, index) => connect(index)));
process.send?.("ready");
process.once("message", () => {
  process.send?.({ responses, bytes });
  // An open call keeps its connection, and the process, alive.
  for (const call of calls) call.cancel();
  for (const client of clients) client.close();
  process.disconnect();
});
