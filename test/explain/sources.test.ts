import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Request } from "../../src/explain/request.ts";
import { semanticsOf } from "../../src/explain/semantics.ts";
import { envoyBinary, envoyLines } from "../support/envoy.ts";
import { type Echo, naming, read, routedHeaders } from "./answers.ts";
import { type Asked, askedEnvoy } from "./asked-envoy.ts";

/* What is said of the client's address, beside a real Envoy that learns the address by the PROXY protocol. */

const managers: readonly JsonObject[] = [
  {},
  { use_remote_address: true },
  { use_remote_address: true, xff_num_trusted_hops: 1 },
  { use_remote_address: true, xff_num_trusted_hops: 2 },
  { use_remote_address: true, skip_xff_append: true },
  { xff_num_trusted_hops: 1 },
];

const sources = ["10.1.2.3", "127.0.0.2", "2001:db8::1"] as const;

const claims: readonly Request["headers"][] = [
  [],
  [["x-forwarded-for", "1.2.3.4"]],
  [["x-forwarded-for", "1.2.3.4,5.6.7.8"]],
  [
    ["x-forwarded-for", "1.2.3.4, 5.6.7.8"],
    ["x-forwarded-for", "::1"],
  ],
  [["x-forwarded-for", "unknown"]],
  [["x-envoy-external-address", "9.9.9.9"]],
];

const asked = managers.map(
  (manager): Asked => ({
    manager,
    table: {
      name: "table",
      virtual_hosts: [
        {
          name: "h",
          domains: ["*"],
          routes: [naming({ name: "r", match: { prefix: "/" }, route: { cluster: "one" } })],
        },
      ],
    },
    listenerFilters: [
      {
        name: "envoy.filters.listener.proxy_protocol",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
        },
      },
    ],
  }),
);

/** What the upstream was sent. */
async function echoTo(port: number, { source = "", headers }: Request): Promise<Echo["headers"]> {
  const [family, destination] = source.includes(":") ? ["TCP6", "::2"] : ["TCP4", "10.9.9.9"];
  const lines = [
    `PROXY ${family} ${source} ${destination} 4711 80`,
    "GET / HTTP/1.1",
    ...[["Host", "a.com"], ["Connection", "close"], ...headers].map(([name, value]) => `${name}: ${value}`),
  ];
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [, body = ""] = (await text(socket)).split("\r\n\r\n");
  const json = body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1);
  return (JSON.parse(json) as Echo).headers;
}

describe.each(envoyLines)("Envoy %s", (line) => {
  test("says of addresses what we tell", async (context) => {
    const binary = await envoyBinary(context, line);
    const envoy = await askedEnvoy(binary, asked, context.onTestFinished);
    for (const [index, one] of asked.entries()) {
      const listened = read(one, envoy.portOf(index));
      for (const source of sources) {
        for (const headers of claims) {
          const request: Request = { method: "GET", scheme: "http", authority: "a.com", path: "/", headers, source };
          const { host, "x-request-id": id, ...there } = await echoTo(listened.port, request);
          expect(host, "the test's own").toEqual(["a.com"]);
          expect(id).toHaveLength(1);
          const here = routedHeaders(listened, request, semanticsOf(`${line}.0`));
          expect({ manager: one.manager, source, headers, sent: here }).toEqual({
            ...{ manager: one.manager, source, headers },
            sent: there,
          });
        }
      }
    }
  });
});
