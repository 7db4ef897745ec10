import { forwardedCertificateOf, type HttpConnectionManager } from "../envoy/connection-manager-messages.ts";
import { isIpAddress } from "../model/ip-address.ts";
import { Unsupported } from "./condition.ts";
import type { Request } from "./request.ts";
import { upgradeOf } from "./upgrade.ts";

type Headers = Request["headers"];

/** Of one connection alone. */
const ofConnection = ["keep-alive", "proxy-connection", "transfer-encoding", "x-envoy-internal"] as const;

/** Orders to Envoys, which those outside the mesh may not give. */
const ofInside = [
  ...["retriable-status-codes", "retriable-header-names", "retry-on", "retry-grpc-on", "max-retries"],
  ...["upstream-alt-stat-name", "upstream-rq-timeout-ms", "upstream-rq-per-try-timeout-ms"],
  ...["upstream-rq-timeout-alt-response", "expected-rq-timeout-ms", "force-trace", "ip-tags", "original-url"],
  "hedge-on-per-try-timeout",
].map((name) => `x-envoy-${name}`);

/** What Envoys tell each other, which no client may say at the edge. */
const ofMesh = [
  "decorator-operation",
  "downstream-service-cluster",
  "downstream-service-node",
  "original-host",
  "original-path",
].map((name) => `x-envoy-${name}`);

/**
 * The headers of a request as the router sees them. Not told are ids that a manager adds (`x-request-id`), the `x-forwarded-for` of a
 * client on loopback, where Envoy says an address of its own, and that a `referer` goes which is no URL. `port`: where the
 * listener listens. `internalOnly`: further names that are for the inside. Throws `Unsupported`.
 */
export function admittedHeaders(
  manager: HttpConnectionManager,
  request: Request,
  { port, internalOnly }: { readonly port: number; readonly internalOnly: readonly string[] },
): Headers {
  if (manager.internalAddressConfig !== undefined) {
    throw new Unsupported("which addresses are internal", "/internalAddressConfig");
  }
  const { headers: sent, scheme, source, certificate } = request;
  const isEdge = manager.useRemoteAddress === true;
  const removed = new Set<string>([
    ...[...ofConnection, ...ofInside, ...internalOnly.map((name) => name.toLowerCase())],
    ...(upgradeOf(request) !== undefined ? [] : ["connection", "upgrade"]),
    ...(isEdge ? ofMesh : []),
    ...(keepsCertificate(manager, certificate?.presented ?? false) ? [] : ["x-forwarded-client-cert"]),
    ...(valuesOf(sent, "te").join().toLowerCase().includes("trailers") ? [] : ["te"]),
  ]);
  const kept = sent.filter(([name]) => !removed.has(name.toLowerCase()));
  const isTrusted = !isEdge || manager.xffNumTrustedHops > 0;
  /** undefined: what another proxy said is believed. */
  const unlessSaid = (name: string, value: string): string | undefined =>
    isTrusted && valuesOf(kept, name).length > 0 ? undefined : value;
  const { schemeHeaderTransformation, appendXForwardedPort, via } = manager;
  const said: Readonly<Record<string, string | undefined>> = {
    ...(isEdge && source !== undefined && addressHeaders(kept, manager, source)),
    "x-forwarded-proto": schemeHeaderTransformation?.transformation.value ?? unlessSaid("x-forwarded-proto", scheme),
    "x-forwarded-port": appendXForwardedPort ? unlessSaid("x-forwarded-port", String(port)) : undefined,
    via: via === "" ? undefined : [...valuesOf(kept, "via"), via].join(", "),
  };
  const set = Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const names = new Set(set.map(([name]) => name));
  return [...kept.filter(([name]) => !names.has(name.toLowerCase())), ...set];
}

/** What another proxy says of the client's certificate. */
function keepsCertificate(manager: HttpConnectionManager, isPresented: boolean): boolean {
  switch (forwardedCertificateOf(manager)) {
    case "always":
      return true;
    case "with-tls":
      return isPresented;
    case "never":
      return false;
    case "own":
      if (isPresented) throw new Unsupported("what is said of a certificate", "/forwardClientCertDetails");
      return false;
  }
}

function addressHeaders(headers: Headers, manager: HttpConnectionManager, source: string) {
  const claimed = valuesOf(headers, "x-forwarded-for");
  const hops = claimed.flatMap((value) => value.split(",").map((one) => one.trim()));
  const { xffNumTrustedHops: trusted, skipXffAppend } = manager;
  const client = trusted === 0 ? source : (hops.at(-trusted) ?? "");
  return {
    "x-envoy-external-address": isIpAddress(client) ? client : source,
    "x-forwarded-for": skipXffAppend || loopbacks.includes(source) ? undefined : [...claimed, source].join(),
  };
}

/** No others of their networks. */
const loopbacks: readonly string[] = ["127.0.0.1", "::1"];

const valuesOf = (headers: Headers, wanted: string): readonly string[] =>
  headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
