import type { Terminal } from "../envoy/filter-messages.ts";
import { firstBytesOf, type Listener, type ListenerFilterKind, listenerFiltersAt } from "../envoy/listener-messages.ts";
import { isServerFirst } from "../model/port.ts";
import { quoted } from "./condition.ts";
import type { Connection } from "./connection.ts";
import type { ExplainedProtocol } from "./explanation.ts";

/** A connection in the listener that decides on it. */
export interface Looked {
  readonly listener: Listener;
  /** All of it, as the client means it. */
  readonly connection: Connection;
  /** It has nothing that a client is sure to send first, as far as is said. */
  readonly isBare: boolean;
  readonly isCaptured: boolean;
  /** Where it ends. */
  readonly terminal: Terminal | undefined;
}

/** What the listener finds out by the first bytes. undefined: it does not look, and nobody would expect it to. */
export function recognitionOf(looked: Looked): ExplainedProtocol | undefined {
  const { listener, connection, isBare, isCaptured } = looked;
  const filters = listenerFiltersAt(listener, connection.destination.port);
  const isLookedAt = filters.has("tls") || filters.has("http");
  if (!isCaptured && !filters.has("http")) return undefined;
  if (!isLookedAt) return { found: `not looked at, ${whyNot(looked)}` };
  const recognised = recognisedBy(filters, connection);
  if (recognised !== undefined) return { found: `recognised as ${recognised} by its first bytes` };
  if (!isBare) return { found: "not recognised by its first bytes" };
  return { found: "not known before the client's first bytes", waits: firstBytesOf(listener) };
}

const names: Readonly<Record<string, string>> = { "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", h2c: "HTTP/2" };

function recognisedBy(
  filters: ReadonlySet<ListenerFilterKind>,
  { transportProtocol, serverName, applicationProtocols: [first] }: Connection,
): string | undefined {
  if (transportProtocol === "tls") {
    if (!filters.has("tls")) return undefined;
    return serverName === undefined ? "TLS" : `TLS for ${quoted(serverName)}`;
  }
  return filters.has("http") && first !== undefined ? (names[first] ?? first) : undefined;
}

function whyNot({ listener, connection, terminal }: Looked): string {
  const { port } = connection.destination;
  if (isServerFirst(port)) return `as nothing is recognised on port ${port}, where servers speak first`;
  if (terminal?.kind === "http") return "as all that comes here is taken for HTTP";
  const chains = listener.filterChains.length + (listener.defaultFilterChain === undefined ? 0 : 1);
  return chains === 1 ? "as a single service has the address" : "as nothing depends on it";
}
