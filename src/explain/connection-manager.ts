import { escapedSlashesOf, type HttpConnectionManager, strippedPortOf } from "../envoy/connection-manager-messages.ts";
import type { RouteConfiguration } from "../envoy/route-messages.ts";
import { isIpAddress } from "../model/ip-address.ts";
import { admittedHeaders } from "./admitted-headers.ts";
import { isGrpcRequest } from "./grpc.ts";
import { normalPath, withMergedSlashes, withUnescapedSlashes } from "./normal-path.ts";
import type { Request } from "./request.ts";
import type { Semantics } from "./semantics.ts";

/** What an HTTP connection manager makes of a request, as it comes by HTTP/1, before it looks for a route. */
export type Admission =
  | { readonly kind: "admitted"; readonly request: Request }
  /** It answers itself. `why`: in words that go on the request: `its path has a fragment`. */
  | { readonly kind: "refused"; readonly status: number; readonly why: string }
  | { readonly kind: "redirected"; readonly status: 307; readonly location: string };

/** Where requests come in. */
export interface Entrance {
  readonly manager: HttpConnectionManager;
  /** Where the listener listens. */
  readonly port: number;
  /** Whose headers for the inside are known. */
  readonly table?: RouteConfiguration;
}

/** Throws `Unsupported`. */
export function admissionOf({ manager, port, table }: Entrance, request: Request, semantics: Semantics): Admission {
  const path: AdmittedPath =
    request.path === undefined
      ? admittedTarget(request.authority)
      : admittedPath(manager, request.path, isGrpcRequest(request), semantics);
  if (path.kind !== "admitted") return path;
  const { authority, stripped } = admittedAuthority(manager, request.authority, port);
  return {
    kind: "admitted",
    request: {
      ...{ ...request, authority },
      ...(request.method === "CONNECT" && stripped !== undefined && { tunnelPort: stripped }),
      headers: admittedHeaders(manager, request, { port, internalOnly: table?.internalOnlyHeaders ?? [] }),
      ...(path.path !== undefined && { path: path.path }),
    },
  };
}

type AdmittedPath =
  | Exclude<Admission, { kind: "admitted" }>
  | { readonly kind: "admitted"; readonly path: string | undefined };

const maxPort = 65_535;

const bad = (why: string): AdmittedPath => ({ kind: "refused", status: 400, why });

/** What a CONNECT asks for. */
function admittedTarget(authority: string): AdmittedPath {
  const [, address, port] = /^(?:@?[A-Za-z0-9.-]+|\[(.*)\]):([0-9]+)$/.exec(authority) ?? [];
  const isTarget = port !== undefined && Number(port) <= maxPort && (address === undefined || isIpAddress(address));
  return isTarget ? { kind: "admitted", path: undefined } : bad("its authority is not a host and a port");
}

function admittedPath(
  manager: HttpConnectionManager,
  sent: string,
  isGrpc: boolean,
  semantics: Semantics,
): AdmittedPath {
  if (!/^[\t\f!-~]*$/.test(sent)) return bad("its path has characters that may not stand in one");
  if (!sent.startsWith("/")) return bad("its path does not begin with a slash");
  if (sent.includes("#")) return bad("its path has a fragment");
  const slashes = escapedSlashesOf(manager);
  const unescaped = slashes === "keep" ? sent : withUnescapedSlashes(sent);
  const hadEscaped = unescaped !== sent;
  if (hadEscaped && slashes === "reject") return bad("its path has escaped slashes");
  const normal = manager.normalizePath === true ? normalPath(unescaped, semantics) : unescaped;
  if (normal === undefined) return bad("its path has an escaped NUL");
  const path = manager.mergeSlashes ? withMergedSlashes(normal) : normal;
  if (!hadEscaped || slashes !== "unescape-and-redirect") return { kind: "admitted", path };
  // Clients of gRPC follow none.
  return isGrpc
    ? bad("its path has escaped slashes, and clients of gRPC are not redirected")
    : { kind: "redirected", status: 307, location: path };
}

const maxUint32 = 2 ** 32 - 1;

interface Authority {
  readonly authority: string;
  /** The port that it had. */
  readonly stripped?: number;
}

/** A dot at the end of the name goes first. */
function admittedAuthority(manager: HttpConnectionManager, sent: string, port: number): Authority {
  const authority = manager.stripTrailingHostDot ? sent.replace(/\.(?=(:[^.]*)?$)/, "") : sent;
  const mode = strippedPortOf(manager);
  const [, host = "", digits] = /^(.*):\+?([0-9]+)$/s.exec(authority) ?? [];
  if (mode === "none" || digits === undefined) return { authority };
  const stripped = Number(digits);
  if (stripped > maxUint32) return { authority };
  return mode === "any" || stripped === port ? { authority: host, stripped } : { authority };
}
