/**
 * The process of an example service: `node example-main.ts --name reviews --version v2 --address 127.0.0.1 --port 0
 * --call ratings=http://127.0.0.1:9080/`. Says `listening on <port>` when it does; ends in order on SIGTERM.
 */
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { createExampleService, type UpstreamCall } from "./example-service.ts";

/** Requests still on their way get this long; a request that waits for others needs up to 5 s. */
const drainMs = 2_000;

const { values } = parseArgs({
  options: {
    name: { type: "string", default: "example" },
    version: { type: "string", default: "v1" },
    address: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    call: { type: "string", multiple: true, default: [] },
  },
});

function parseCall(text: string): UpstreamCall {
  const equals = text.indexOf("=");
  return { service: text.slice(0, equals), url: new URL(text.slice(equals + 1)).href };
}

const server = createExampleService({ ...values, calls: values.call.map(parseCall) });
server.listen(Number(values.port), values.address, () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});

process.once("SIGTERM", () => {
  server.close();
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), drainMs).unref();
});
