import type { ExplainedCluster } from "./endpoints.ts";
import type { PlacedOrigin } from "./places.ts";
import type { Policies } from "./policies.ts";

/*
 * What is told of a request: plain data, as the API and `fairway explain -o json` give it. Shares are parts of requests that look
 * like this one: above 0, and up to 1 together.
 */

export interface Explanation {
  /** How the connection came to the proxy where the machine redirects connections to it (iptables); absent: the client dials the proxy. */
  readonly capture?: ExplainedCapture;
  /** Absent: nobody listens where the connection goes. */
  readonly listener?: ExplainedListener;
  /** What the listener finds out by the connection's first bytes, where that matters: of captured connections, and where it looks for HTTP. */
  readonly protocol?: ExplainedProtocol;
  /** Absent where none takes the connection, and where the client has no sockets to listen on, as one of gRPC. */
  readonly filterChain?: ExplainedChain;
  /** The other chains of the listener, each with what was in its way. */
  readonly otherChains: readonly ChainMiss[];
  /** Types of filters on the way, of which we know no more: they may answer, or change the request. Absent: none. */
  readonly unknownFilters?: readonly string[];
  /** As the router gets it: with what the connection manager makes of its path and authority. Absent: it is no HTTP, or was answered before. */
  readonly request?: RoutedRequest;
  /** What the connection manager did to it before. */
  readonly admitted: readonly Change[];
  /** Absent where no route table is asked, or none of its virtual hosts takes the authority. */
  readonly virtualHost?: ExplainedHost;
  /** At least one; several where a part of the requests goes another way. */
  readonly outcomes: readonly Outcome[];
  /** Routes that would have come before the first that takes the request, each with what was in its way; in their order. */
  readonly nearMisses: readonly NearMiss[];
}

export interface ExplainedCapture {
  /** `outbound`: the workload calls; `inbound`: it is called. */
  readonly direction: "inbound" | "outbound";
  /** The listener that takes it first; another one where it is not the one that decides. */
  readonly by: string;
  /** Where the client dialled, with its port; absent: nobody here knows the address. */
  readonly destination?: string;
  readonly port: number;
  /** How the destination came about: a few words. */
  readonly found: string;
}

export interface ExplainedProtocol {
  /** A few words: `recognised as HTTP/1.1 by its first bytes`. */
  readonly found: string;
  /** The listener waits for first bytes of which it is not said that the client sends them. */
  readonly waits?: {
    /** 0: for ever. */
    readonly timeoutMs: number;
    /** After it the connection goes on as one that nothing is recognised of; else it is closed. */
    readonly goesOn: boolean;
  };
}

export interface ExplainedListener {
  readonly name: string;
  /** Absent where it listens on no socket of its own. */
  readonly address?: string;
  /** How it was found: a few words. */
  readonly found: string;
  readonly origins: readonly PlacedOrigin[];
}

export interface ExplainedChain {
  readonly name: string;
  /** Its place; absent for the one that takes what no other does. */
  readonly index?: number;
  /** What it asks for, in words; the connection has it all. */
  readonly asks: readonly string[];
  readonly origins: readonly PlacedOrigin[];
}

export interface ChainMiss {
  readonly name: string;
  readonly index: number;
  /** What it asks for, and what is there instead. */
  readonly failed: FailedCondition;
}

export interface FailedCondition {
  /** `the path begins with "/api"`. */
  readonly asks: string;
  /** `it is "/home"`. */
  readonly found: string;
  /** Who asks for it. */
  readonly origins: readonly PlacedOrigin[];
}

export interface RoutedRequest {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path?: string;
}

export interface ExplainedHost {
  /** The route table. */
  readonly table: string;
  readonly name: string;
  /** Which of its domains took the authority. */
  readonly domain: string;
  readonly origins: readonly PlacedOrigin[];
}

export interface ExplainedRoute {
  readonly name: string;
  /** Its place in the virtual host, from 0. */
  readonly index: number;
  /** What it asks for, in words; the request has it all. */
  readonly asks: readonly string[];
  readonly origins: readonly PlacedOrigin[];
}

export interface NearMiss {
  readonly name: string;
  readonly index: number;
  /** None: it takes no share of the requests, or just a part of them. */
  readonly failed: readonly FailedCondition[];
  readonly origins: readonly PlacedOrigin[];
}

export interface Outcome {
  readonly share: number;
  readonly route?: ExplainedRoute;
  readonly result: Result;
}

export type Result =
  | Forwarded
  | { readonly kind: "redirect"; readonly status: number; readonly location: string }
  /** Envoy answers by itself; why, as a sentence without its full stop. */
  | { readonly kind: "answer"; readonly status: number; readonly body?: string; readonly reason: string }
  /** The connection ends; why, in the same way. */
  | { readonly kind: "close"; readonly reason: string }
  /** Bytes are passed on. */
  | (Destination & { readonly kind: "tunnel"; readonly origins: readonly PlacedOrigin[] })
  /** A kind of filter decides that we do not know. */
  | { readonly kind: "unknown"; readonly filter: string };

export interface Destination {
  readonly cluster: string;
  /** What it stands for, where that is not a service: words that go on its name. */
  readonly meaning?: string;
  /** Which service it stands for, where its name says so. */
  readonly service?: ServicePort;
  readonly leadsTo: ExplainedCluster;
}

export interface ServicePort {
  readonly host: string;
  readonly port: number;
  readonly subset?: string;
  readonly direction: "inbound" | "outbound";
}

export interface Forwarded extends Destination {
  readonly kind: "forward";
  /** As it is sent on. */
  readonly request: RoutedRequest;
  /** The name of the instance that is chosen takes the place of the authority, where it has one. */
  readonly takesNameOfInstance: boolean;
  /** As they are sent on, each value by itself; without those that Envoy adds to every request, such as `x-request-id`. */
  readonly headers: readonly SentHeader[];
  /** What was done to it on the way, in order. */
  readonly changes: readonly Change[];
  readonly policies: Policies;
  readonly origins: readonly PlacedOrigin[];
}

/** The name in lower case. */
export type SentHeader = readonly [name: string, value: string];

/** `before` and `after` are absent where there is nothing; several values of a header are joined by commas. */
export interface Change {
  /** `path`, `authority`, or the name of a header. */
  readonly what: string;
  readonly before?: string;
  readonly after?: string;
  readonly by: ChangedBy;
  /** Who asked for it; nobody for what a proxy does by itself. */
  readonly origins: readonly PlacedOrigin[];
}

/** `cluster`: the one of several by weight. */
export type ChangedBy = "connection-manager" | "proxy" | "cluster" | "route" | "virtual-host" | "route-table";
