import { isServerFirst, type Protocol, parseProtocol } from "../model/port.ts";

/** What a registry says of a port that tells how it is spoken to. */
export interface DeclaredPort {
  readonly name: string;
  readonly number: number;
  /** Below it, in any case; absent: TCP. */
  readonly transport?: string;
  /** Kubernetes' `appProtocol`. */
  readonly appProtocol?: string;
}

/** Names that stand for what is carried as another protocol: proxies have no more to say about these here. */
const carriedAs: ReadonlyMap<string, Protocol> = new Map([
  ["mongo", "tcp"],
  ["redis", "tcp"],
  ["mysql", "tcp"],
  ["http_proxy", "http"],
]);

const appProtocols: ReadonlyMap<string, Protocol> = new Map([
  ["kubernetes.io/h2c", "http2"],
  ["kubernetes.io/ws", "http"],
  ["kubernetes.io/wss", "https"],
]);

const transports: ReadonlyMap<string, Protocol> = new Map([
  ["udp", "udp"],
  ["sctp", "sctp"],
]);

/**
 * What a port speaks, as in Istio: its transport, where that is not TCP; else `appProtocol`, where there is one; else what its name
 * begins with: `http`, `grpc-web`, `tcp-metrics`. Where that says nothing: `tcp` where the number says so, else `auto`.
 */
export function protocolOf({ name, number, transport = "tcp", appProtocol }: DeclaredPort): Protocol {
  const below = transports.get(transport.toLowerCase());
  if (below !== undefined) return below;
  const text = (appProtocol ?? name).toLowerCase();
  return appProtocols.get(text) ?? namedProtocol(text) ?? (isServerFirst(number) ? "tcp" : "auto");
}

/** The same for a port of which only name and number are known. */
export const protocolOfPort = (name: string, number: number): Protocol => protocolOf({ name, number });

function namedProtocol(text: string): Protocol | undefined {
  if (text.startsWith("grpc-web")) return "grpc-web";
  const [word = ""] = text.split("-");
  return carriedAs.get(word) ?? parseProtocol(word);
}
