import { formatHostPort } from "../base/host-port.ts";
import {
  apiTerminalOf,
  type HttpConnectionManager,
  type Terminal,
  terminalOf,
  unknownFiltersIn,
} from "../envoy/filter-messages.ts";
import { listenAddressesOf, mayKnowDestination } from "../envoy/listener-messages.ts";
import type { RouteConfiguration } from "../envoy/route-messages.ts";
import { asCharacters } from "../envoy/string-matcher.ts";
import type { Capture } from "./capture.ts";
import { quoted } from "./condition.ts";
import { asSeenBy, type Connection, type SocketAddress } from "./connection.ts";
import { admissionOf } from "./connection-manager.ts";
import { dialledOutcome, type KnownDestination } from "./dialled-outcome.ts";
import type {
  ChainMiss,
  ExplainedCapture,
  ExplainedChain,
  ExplainedListener,
  Explanation,
  Outcome,
  Result,
} from "./explanation.ts";
import { type ChainDecision, chooseChain } from "./filter-chain.ts";
import { type Found, findListener } from "./find-listener.ts";
import { isGrpcRequest } from "./grpc.ts";
import { explainRouting } from "./http.ts";
import { namedInConfiguration } from "./named-in-configuration.ts";
import { type Around, around, type Configuration, originsOf, within } from "./places.ts";
import type { Question } from "./question.ts";
import { recognitionOf } from "./recognition.ts";
import type { Request } from "./request.ts";
import type { Semantics } from "./semantics.ts";
import { explainTunnel } from "./tunnel.ts";

/**
 * Where a request goes that a proxy gets, and why, as an Envoy of these semantics would decide. Throws `Unsupported` for a
 * configuration that we cannot carry out, and `input/invalid` where it is not clear which listener is meant.
 */
export function explain(configuration: Configuration, question: Question, semantics: Semantics): Explanation {
  const { resources, workload } = configuration;
  const found = findListener(resources.listeners(), question, { workload, lookUp: namedInConfiguration(resources) });
  if (found.kind === "nobody") {
    const { address, port } = found.at;
    const reason = `nobody listens at ${address}, port ${port}, so that the connection is refused`;
    return { otherChains: [], admitted: [], outcomes: [alone({ kind: "close", reason })], nearMisses: [] };
  }
  const { listener, capture } = found;
  const place = around(configuration, "LDS", listener.name);
  const told = { ...(capture && { capture: explainedCapture(capture) }), listener: explainedListener(found, place) };
  const api = apiTerminalOf(listener);
  if (api !== undefined) {
    return {
      ...told,
      otherChains: [],
      ...explainTerminal(api, { place, question, semantics, port: found.destination.port }),
    };
  }
  const connection = connectionOf(question, found.destination);
  const decision = chooseChain(listener, asSeenBy(listener, connection));
  const chain = explainedChain(decision, place);
  const unknownFilters = decision.outcome.kind === "none" ? [] : unknownFiltersIn(decision.outcome.chain);
  const terminal = terminalIn(decision);
  const inside = explainChain(decision, terminal, { place, question, semantics, port: found.destination.port });
  const protocol = recognitionOf({
    ...{ listener, connection, terminal, isCaptured: capture !== undefined },
    isBare: question.request === undefined && !question.isTls,
  });
  const known: KnownDestination =
    capture !== undefined
      ? { kind: "known", dialled: capture.dialled }
      : { kind: mayKnowDestination(listener) ? "known" : "unknown" };
  return {
    ...told,
    ...(protocol && { protocol }),
    ...(chain && { filterChain: chain }),
    ...(unknownFilters.length > 0 && { unknownFilters }),
    otherChains: decision.misses.map((miss) => chainMiss(miss, place)),
    ...inside,
    outcomes: inside.outcomes.map((outcome) => dialledOutcome(outcome, known)),
  };
}

const alone = (result: Result): Outcome => ({ share: 1, result });

/* The listener */

const explainedCapture = ({ direction, by, dialled: { address, port, found } }: Capture): ExplainedCapture => ({
  ...{ direction, by: by.name },
  ...(address !== undefined && { destination: formatHostPort({ host: address, port }) }),
  ...{ port, found },
});

const explainedListener = (found: Extract<Found, { kind: "found" }>, place: Around): ExplainedListener => {
  const [own] = listenAddressesOf(found.listener);
  return {
    name: found.listener.name,
    ...(own && { address: formatHostPort({ host: own.address, port: own.port }) }),
    found: found.how,
    origins: originsOf(place),
  };
};

/* The filter chain */

/** Of whom nothing is said: somebody on the same machine. */
const usualSource: SocketAddress = { address: "127.0.0.1", port: 0 };

const connectionOf = (question: Question, destination: SocketAddress): Connection => ({
  destination,
  source: question.source ?? usualSource,
  ...(question.serverName !== undefined && { serverName: question.serverName }),
  transportProtocol: question.isTls ? "tls" : "raw_buffer",
  applicationProtocols: protocolsOf(question),
});

/** What a filter finds out of plain HTTP, where nothing else is said: gRPC is HTTP/2. */
function protocolsOf({ applicationProtocols: said, request, isTls }: Question): readonly string[] {
  if (said.length > 0 || isTls || request === undefined) return said;
  return [isGrpcRequest(request) ? "h2c" : "http/1.1"];
}

function explainedChain({ outcome }: ChainDecision, place: Around): ExplainedChain | undefined {
  switch (outcome.kind) {
    case "none":
      return undefined;
    case "default":
      return { name: outcome.chain.name, asks: [], origins: originsOf(within(place, "/defaultFilterChain")) };
    case "chain":
      return {
        ...{ name: outcome.chain.name, index: outcome.index },
        asks: outcome.conditions.map(({ text }) => text),
        origins: originsOf(within(place, `/filterChains/${outcome.index}`)),
      };
  }
}

const chainMiss = (
  { index, chain, text, pointer, found }: ChainDecision["misses"][number],
  place: Around,
): ChainMiss => ({
  ...{ name: chain.name, index },
  failed: { asks: text, found, origins: originsOf(within(place, `/filterChains/${index}${pointer}`)) },
});

interface Inside {
  /** The listener. */
  readonly place: Around;
  readonly question: Question;
  readonly semantics: Semantics;
  /** Where the connection went to. */
  readonly port: number;
}

type Told = Pick<Explanation, "request" | "admitted" | "virtualHost" | "outcomes" | "nearMisses">;

const only = (result: Result): Told => ({ admitted: [], outcomes: [alone(result)], nearMisses: [] });

function terminalIn({ outcome }: ChainDecision): Terminal | undefined {
  if (outcome.kind === "none") return undefined;
  const pointer = outcome.kind === "default" ? "/defaultFilterChain" : `/filterChains/${outcome.index}`;
  return terminalOf(outcome.chain, pointer);
}

function explainChain({ outcome }: ChainDecision, terminal: Terminal | undefined, inside: Inside): Told {
  if (outcome.kind === "none")
    return only({ kind: "close", reason: "no filter chain of the listener takes the connection" });
  if (terminal === undefined) return only({ kind: "close", reason: "the filter chain has no filters" });
  return explainTerminal(terminal, inside);
}

function explainTerminal(terminal: Terminal, inside: Inside): Told {
  const { place, question } = inside;
  switch (terminal.kind) {
    case "http":
      return question.request === undefined
        ? only({ kind: "close", reason: "HTTP is spoken here, and the question is of a connection without a request" })
        : explainHttp(terminal, question.request, inside);
    case "tcp":
      return { admitted: [], outcomes: explainTunnel(terminal.proxy, within(place, terminal.pointer)), nearMisses: [] };
    case "other":
      return only({ kind: "unknown", filter: terminal.type });
  }
}

function explainHttp(
  { manager, pointer }: Extract<Terminal, { readonly kind: "http" }>,
  request: Request,
  { place, question, semantics, port }: Inside,
): Told {
  if (speaksHttp10(question) && manager.httpProtocolOptions?.acceptHttp10 !== true) {
    return only({ kind: "answer", status: 426, reason: "HTTP/1.0 is not taken here" });
  }
  const found = tableOf(manager, within(place, pointer));
  const table = found.kind === "table" ? found.table : undefined;
  const source = question.source?.address;
  const sent = { ...request, ...(source !== undefined && { source }) };
  const admission = admissionOf({ manager, port, ...(table && { table }) }, sent, semantics);
  if (admission.kind === "refused") return only({ kind: "answer", status: admission.status, reason: admission.why });
  if (admission.kind === "redirected") {
    return only({ kind: "redirect", status: admission.status, location: asCharacters(admission.location) });
  }
  if (found.kind !== "table") return only(found);
  return explainRouting({ ...found, manager }, { sent, admitted: admission.request }, semantics);
}

/** Of TLS it is not known: a client only offers protocols. */
const speaksHttp10 = ({ isTls, applicationProtocols: [first] }: Question): boolean => !isTls && first === "http/1.0";

type FoundTable =
  | { readonly kind: "table"; readonly table: RouteConfiguration; readonly place: Around }
  | Extract<Result, { readonly kind: "unknown" | "answer" }>;

function tableOf({ routeSpecifier: { case: kind, value: routes } }: HttpConnectionManager, place: Around): FoundTable {
  if (kind === "routeConfig") return { kind: "table", table: routes, place: within(place, "/routeConfig") };
  if (kind !== "rds") return { kind: "unknown", filter: kind ?? "a connection manager without routes" };
  const { configuration } = place;
  const name = routes.routeConfigName;
  const table = configuration.resources.routeTable(name);
  return table === undefined
    ? { kind: "answer", status: 404, reason: `the proxy has no route table ${quoted(name)}` }
    : { kind: "table", table, place: around(configuration, "RDS", name) };
}
