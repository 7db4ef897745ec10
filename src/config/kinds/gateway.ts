import type { Selector } from "../../model/labels.ts";

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
