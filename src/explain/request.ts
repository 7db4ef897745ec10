import { asBytes } from "../envoy/string-matcher.ts";
import { joinedHeaders } from "./joined-headers.ts";
import type { Semantics } from "./semantics.ts";

/** A request as a client sends it. Names of headers in any case. */
export interface Request {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** The Host header: with a port where the client gives one. */
  readonly authority: string;
  /** With its query. Absent: a CONNECT without a path. */
  readonly path?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The client's address; absent: not known. */
  readonly source?: string;
  /** The port that the authority of a CONNECT has lost on its way to the router: upstreams get it back. */
  readonly tunnelPort?: number;
  /**
   * What filters before the router have found out, by filter. A route is chosen before filters run: what one finds counts where one of
   * them asks for another choice.
   */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Of the client's certificate; absent: the connection has no TLS. */
  readonly certificate?: { readonly presented: boolean; readonly validated: boolean };
}

/** Values in their order, by name in lower case. */
export type Headers = ReadonlyMap<string, readonly string[]>;

/** The same, as matchers look at it; texts are bytes (`asBytes`). */
export interface Facts {
  readonly request: Request;
  readonly scheme: "http" | "https";
  readonly authority: string;
  /** undefined where there is none. */
  readonly path: string | undefined;
  /** Up to its query. */
  readonly barePath: string;
  /** The values that matchers look at, one by one. Names in lower case; pseudo headers too. */
  readonly header: (name: string) => readonly string[];
  /** The same headers as they were sent, each value by itself; no pseudo headers. */
  readonly values: Headers;
  /** The first value of a query parameter, not decoded; undefined where there is none. */
  readonly parameter: (name: string) => string | undefined;
}

export function factsOf(request: Request, { headersApart }: Semantics): Facts {
  const { method, headers } = request;
  const authority = asBytes(request.authority);
  const path = request.path === undefined ? undefined : asBytes(request.path);
  const values = new Map<string, readonly string[]>([
    ...[[":method", [method]] as const, [":authority", [authority]] as const],
    ...(path === undefined ? [] : [[":path", [path]] as const]),
  ]);
  const sent = new Map<string, readonly string[]>();
  for (const [name, list] of Map.groupBy(headers, ([name]) => name.toLowerCase())) {
    // White space around a value is no part of it.
    const each = list.map(([, value]) => asBytes(value.replaceAll(/^[ \t]+|[ \t]+$/g, "")));
    const texts = joinedHeaders.has(name) ? [each.join()] : each;
    sent.set(name, texts);
    values.set(name, headersApart ? texts : [texts.join(name === "cookie" ? "; " : ",")]);
  }
  // HTTP/1 has no scheme: it is what a proxy before this one said, where it said one; else it is said to who comes next.
  const forwarded = values.get("x-forwarded-proto")?.join();
  const scheme = forwarded === "http" || forwarded === "https" ? forwarded : request.scheme;
  values.set(":scheme", [scheme]);
  if (forwarded === undefined) values.set("x-forwarded-proto", [scheme]);
  let parameters: ReadonlyMap<string, string> | undefined;
  return {
    ...{ request, scheme, authority, path, values: sent },
    barePath: path === undefined ? "" : withoutQuery(path),
    header: (name) => values.get(name === "host" ? ":authority" : name) ?? [],
    parameter: (name) => {
      parameters ??= parametersOf(path ?? "");
      return parameters.get(name);
    },
  };
}

/** Where the port of an authority begins, with its colon; undefined: it has none. What follows the last colon counts, if no bracket does. */
export function portStart(authority: string): number | undefined {
  const colon = authority.lastIndexOf(":");
  return colon < 0 || authority.lastIndexOf("]") > colon ? undefined : colon;
}

export const withoutQuery = (path: string): string => {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
};

function parametersOf(path: string): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  const start = path.indexOf("?");
  if (start < 0) return first;
  for (const part of path.slice(start + 1).split("&")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!first.has(name)) first.set(name, equals < 0 ? "" : part.slice(equals + 1));
  }
  return first;
}
