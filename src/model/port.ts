/** What a port speaks; proxies carry all but UDP and SCTP. `auto`: not declared; recognised from the first bytes of a connection. */
export type Protocol = "http" | "http2" | "grpc" | "grpc-web" | "https" | "tls" | "tcp" | "udp" | "sctp" | "auto";

export interface ServicePort {
  readonly name: string;
  /** The number that clients call, 1 to 65535. The number an instance listens on is the instance's. */
  readonly number: number;
  readonly protocol: Protocol;
}

const httpFamily: ReadonlySet<Protocol> = new Set(["http", "http2", "grpc", "grpc-web"]);
const http2Family: ReadonlySet<Protocol> = new Set(["http2", "grpc", "grpc-web"]);

/** Is it routed request by request? */
export const isHttp = (protocol: Protocol): boolean => httpFamily.has(protocol);

/** Do proxies carry it at all? */
export const isProxied = (protocol: Protocol): boolean => protocol !== "udp" && protocol !== "sctp";

/** The port of this number that proxies carry: a port of UDP may have the same number. */
export const proxiedPort = (ports: readonly ServicePort[], wanted: number): ServicePort | undefined =>
  ports.find(({ number, protocol }) => number === wanted && isProxied(protocol));

/** Does it need HTTP/2 on the way to the instance? */
export const isHttp2 = (protocol: Protocol): boolean => http2Family.has(protocol);

/** Where servers speak first by custom (SMTP, DNS, MySQL, MongoDB): who waits for the client's first bytes there waits for ever. */
const serverFirst: ReadonlySet<number> = new Set([25, 53, 3306, 27_017]);

/** Is nothing ever recognised from the first bytes on this port? */
export const isServerFirst = (port: number): boolean => serverFirst.has(port);

export const isGrpc = (protocol: Protocol): boolean => protocol === "grpc" || protocol === "grpc-web";

const names: ReadonlyMap<string, Protocol> = new Map([
  ["http", "http"],
  ["http2", "http2"],
  ["grpc", "grpc"],
  ["grpc-web", "grpc-web"],
  ["https", "https"],
  ["tls", "tls"],
  ["tcp", "tcp"],
  ["udp", "udp"],
]);

/** A protocol as users write it, in any case (`HTTP2`, `gRPC-Web`); undefined for an unknown one. */
export function parseProtocol(text: string): Protocol | undefined {
  return names.get(text.toLowerCase());
}

export const protocolNames: readonly string[] = [...names.keys()].map((name) => name.toUpperCase());
