/** The grammar of resource names, Istio's: dashboards, filters and people rely on it. */

/** A cluster for calls to a service; subset is empty for all instances. */
export const outboundClusterName = (port: number, subset: string, hostname: string): string =>
  `outbound|${port}|${subset}|${hostname}`;

/** The cluster of the application behind a sidecar. */
export const inboundClusterName = (port: number): string => `inbound|${port}||`;

/** A listener, after the address that it listens on. */
export const listenerName = (bind: string, port: number): string => `${bind}_${port}`;

/** A sidecar's route table for one port. */
export const sidecarRouteName = (port: number): string => String(port);

/** A sidecar's route table for one port of one service, which has the listener for itself. */
export const serviceRouteName = (hostname: string, port: number): string => `${hostname}:${port}`;

/** A sidecar's route table for applications that call by an HTTP proxy. */
export const httpProxyRouteName = "http_proxy";

/** Where captured connections come in, from the application and to it. */
export const virtualOutbound = "virtualOutbound";
export const virtualInbound = "virtualInbound";

/** A gateway's route table for the plain HTTP servers of one port, and of one address where that is not all of them. */
export const gatewayRouteName = (port: number, bind: string | undefined): string =>
  bind === undefined ? `http.${port}` : `http.${port}.${bind}`;

/** A gRPC client's listener: the target that it dials, without the scheme. */
export const clientListenerName = (host: string, port: number): string => `${host}:${port}`;

/** A gRPC client's route table for one port of a service. */
export const clientRouteName = (port: number, hostname: string): string => outboundClusterName(port, "", hostname);

/** What a gRPC server asks for, after its bootstrap's template: Istio's, and the one of gRPC's own examples. */
export const serverListenerNames = (bind: string, port: number): readonly string[] => {
  const address = `${bind.includes(":") ? `[${bind}]` : bind}:${port}`;
  return [`xds.istio.io/grpc/lds/inbound/${address}`, `grpc/server?xds.resource.listening_address=${address}`];
};

/** Where calls go that nothing may answer. */
export const blackHoleCluster = "BlackHoleCluster";
/** Where calls go to whatever address the client dialled. */
export const passthroughCluster = "PassthroughCluster";

/** Where captured connections to the workload go that no service of it has: to the address that was dialled. */
export const inboundPassthroughCluster = "InboundPassthroughCluster";

/** What the name of a service's cluster says; undefined for a name of another kind. */
export interface NamedService {
  readonly direction: "inbound" | "outbound";
  readonly port: number;
  /** Empty: all instances. */
  readonly subset: string;
  /** Empty for the application behind a sidecar. */
  readonly hostname: string;
}

/** The inverse of `outboundClusterName` and `inboundClusterName`. */
export function serviceInClusterName(name: string): NamedService | undefined {
  const [, direction, port, subset = "", hostname = ""] =
    /^(inbound|outbound)\|([0-9]{1,5})\|([^|]*)\|([^|]*)$/.exec(name) ?? [];
  if (port === undefined || (direction !== "inbound" && direction !== "outbound")) return undefined;
  return { direction, port: Number(port), subset, hostname };
}
