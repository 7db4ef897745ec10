import { memoize } from "../base/memo.ts";
import type { RequestNode } from "../envoy/discovery-request.ts";
import type { TypeName } from "../envoy/resource-types.ts";

/** What a client can take, as far as the wire has to know. */
export interface ClientTraits {
  /** Largest response that it takes, in bytes. */
  readonly maxResponseBytes: number;
  /** It gives a resource up when its time to live is over, and takes the wrapping that this needs, in either variant. */
  readonly ttl: { readonly sotw: boolean; readonly delta: boolean };
  /** It reads `resource_errors`, so a response may consist of nothing else. */
  readonly resourceErrors: boolean;
  /** Types whose removals it refuses: they are not announced. */
  readonly noRemovals: ReadonlySet<TypeName>;
}

const mebibyte = 1024 * 1024;

/** What every client takes. */
export const plainClient: ClientTraits = {
  maxResponseBytes: Number.POSITIVE_INFINITY,
  ttl: { sotw: false, delta: false },
  resourceErrors: false,
  noRemovals: new Set(),
};

/** Every spelling that was seen. Source: xDS protocol, "TTL"; gRPC's C-core says `xds.config.resource-in-sotw`. */
const ttlFeatures = ["xds.config.supports-resource-ttl", "envoy.config.supports-resource-ttl"];
const wrapperFeatures = [
  "xds.config.supports-resource-in-sotw",
  "xds.config.resource-in-sotw",
  "envoy.config.supports-resource-in-sotw",
];

/** gRPC's receive limit, which its xDS clients do not raise. */
const grpcMaxBytes = 4 * mebibyte;

export function traitsOf({ client, features }: Pick<RequestNode, "client" | "features">): ClientTraits {
  const grpc = client.name.startsWith("gRPC") || client.name.startsWith("grpc");
  const has = (spellings: readonly string[]): boolean => spellings.some((feature) => features.includes(feature));
  return traits(plainClient, grpc, has(ttlFeatures), has(wrapperFeatures), isEnvoyBefore(client, 1, 30));
}

/** Alike clients have one object. */
const traits = memoize(
  (plain: ClientTraits, grpc: boolean, ttl: boolean, wrapper: boolean, keepsSecrets: boolean): ClientTraits => ({
    maxResponseBytes: grpc ? grpcMaxBytes : plain.maxResponseBytes,
    ttl: { sotw: ttl && wrapper, delta: ttl },
    resourceErrors: grpc,
    noRemovals: keepsSecrets ? secrets : plain.noRemovals,
  }),
);

/** Envoy refuses the removal of a secret up to 1.29; later it takes it as the end of waiting. */
const secrets: ReadonlySet<TypeName> = new Set(["SDS"]);

function isEnvoyBefore({ name, version }: RequestNode["client"], major: number, minor: number): boolean {
  const [, majorText, minorText] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (name !== "envoy" || majorText === undefined) return false;
  return Number(majorText) < major || (Number(majorText) === major && Number(minorText) < minor);
}
