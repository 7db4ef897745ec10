import { choice, type Decoder, list, refined } from "../../base/decode.ts";
import { object, optional, required, withDefault } from "../../base/decode-object.ts";
import type { Selector } from "../../model/labels.ts";
import { bindAddress, labels, namespacedHost, portName, portNumber } from "../fields.ts";
import { checkUnique } from "../unique.ts";

/** A port of a Gateway, Sidecar or ServiceEntry that is routed request by request. */
export type HttpPortProtocol = "http" | "http2" | "grpc";

export interface GatewayServer {
  readonly port: { readonly number: number; readonly protocol: HttpPortProtocol; readonly name: string };
  /** Address to listen on; all addresses when not given. */
  readonly bind?: string;
  /** As written: a host, or a namespace (a name, `.` or `*`), a slash and a host; at least one. */
  readonly hosts: readonly string[];
}

/** A Gateway (`networking.istio.io`): ports and hosts that gateway proxies open. */
export interface GatewaySpec {
  /** Labels of the gateway proxies, in whatever namespace; empty selects all of them. */
  readonly selector: Selector;
  readonly servers: readonly GatewayServer[];
}

export const httpPortProtocol: Decoder<HttpPortProtocol> = choice<HttpPortProtocol>(
  { HTTP: "http", HTTP2: "http2", GRPC: "grpc" },
  {
    ignoreCase: true,
    unsupported: ["HTTPS", "TLS", "TCP", "UDP", "GRPC-WEB", "HTTP_PROXY", "MONGO", "REDIS", "MYSQL", "HBONE"],
  },
);

const port = object(
  { number: required(portNumber), protocol: required(httpPortProtocol), name: required(portName) },
  { unsupported: ["targetPort"] },
);

const server: Decoder<GatewayServer> = object(
  {
    port: required(port),
    bind: optional(bindAddress),
    hosts: required(list(namespacedHost(["*", "."], { optional: true }), { min: 1 })),
  },
  { unsupported: ["tls", "defaultEndpoint"], dropped: ["name"] },
);

const servers = refined(
  list(server, { min: 1 }),
  (items, site) =>
    checkUnique(items, ({ port: { name } }) => name, { site, step: ["port", "name"], what: "port name" }),
  { uniqueItems: true },
);

export const gateway: Decoder<GatewaySpec> = object({ selector: withDefault(labels, {}), servers: required(servers) });
