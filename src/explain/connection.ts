import { type Listener, listenerFiltersAt } from "../envoy/listener-messages.ts";
import { asBytes, asciiLower } from "../envoy/string-matcher.ts";
import { type Address, addressOf } from "../model/address-bits.ts";
import { isLoopback, isSameAddress } from "./address.ts";

export interface SocketAddress {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** What a listener and its listener filters know of a connection, where it has them all: see `asSeenBy`. */
export interface Connection {
  /** Where the client wanted to go, if the listener finds that out; else where the connection came to. */
  readonly destination: SocketAddress;
  readonly source: SocketAddress;
  /** Whose the connection really is, where that is a proxy which speaks for `source`. */
  readonly directSource?: string;
  /** Of TLS. */
  readonly serverName?: string;
  /** `tls`, or `raw_buffer` for what is none that a filter knows. */
  readonly transportProtocol: string;
  /** As the client would have them, the best one first. Of plain text: what a filter found. */
  readonly applicationProtocols: readonly string[];
}

/** The same, as filter chains look at it; texts are bytes (`asBytes`). */
export interface ConnectionFacts {
  readonly connection: Connection;
  readonly destination: Address;
  readonly source: Address;
  readonly directSource: Address;
  /** In lower case; empty where there is none. */
  readonly serverName: string;
  readonly applicationProtocols: readonly string[];
  /** It comes from this machine, as far as addresses tell. */
  readonly isLocal: boolean;
}

/** Throws a `RangeError` where an address is none. */
export function connectionFacts(connection: Connection): ConnectionFacts {
  const destination = addressOf(connection.destination.address);
  const source = addressOf(connection.source.address);
  return {
    ...{ connection, destination, source },
    directSource: connection.directSource === undefined ? source : addressOf(connection.directSource),
    serverName: asciiLower(asBytes(connection.serverName ?? "")),
    applicationProtocols: connection.applicationProtocols.map(asBytes),
    isLocal: isLoopback(source) || isSameAddress(source, destination),
  };
}

/** The connection without what this listener has no filter to find out. */
export function asSeenBy(listener: Listener, connection: Connection): Connection {
  const { transportProtocol, serverName: _, ...rest } = connection;
  const filters = listenerFiltersAt(listener, connection.destination.port);
  if (transportProtocol === "tls" && !filters.has("tls")) {
    return { ...rest, transportProtocol: "raw_buffer", applicationProtocols: [] };
  }
  return transportProtocol === "raw_buffer" && !filters.has("http")
    ? { ...connection, applicationProtocols: [] }
    : connection;
}
