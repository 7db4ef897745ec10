import { create, type JsonObject, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { resourceType, resourceTypes, type TypeName } from "../../src/envoy/resource-types.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { mutated } from "./mutate.ts";
import type { Random } from "./random.ts";

/** Requests that a real client could have sent, but would not: every field is well formed, and any of them may be out of place. */

export interface RequestHints {
  readonly variant: "sotw" | "delta";
  /** What a correct client would answer now; first the latest. */
  readonly nonces: readonly string[];
  /** Names of resources that there are, or were. */
  readonly names: readonly string[];
  /** The one type of the method; absent on ADS. */
  readonly only?: TypeName | undefined;
}

export const oddNode = "sidecar~10.0.0.1~odd.shop~shop.svc.cluster.local";

const longest = 4_096;

const nameOf = (random: Random, { names }: RequestHints): string =>
  random.weighted<() => string>([
    [12, () => random.pick(names)],
    [3, () => `new-${random.int(1_000_000)}`],
    [2, () => "*"],
    [
      3,
      () =>
        random.pick([
          "",
          "__proto__",
          "toString",
          "xdstp://shop/envoy.config.cluster.v3.Cluster/c0?b=2&a=1#f",
          "xdstp://?&&=#",
          "xdstp://shop/\n?a",
          "r/slash/host",
          "\u0000",
          "ключ\u{1f600}",
          "grpc/server?xds.resource.listening_address=[::]:5072",
        ]),
    ],
    [0.3, () => "l".repeat(longest + random.int(2))],
  ])();

const namesOf = (random: Random, hints: RequestHints): string[] =>
  Array.from(
    {
      length: random.weighted([
        [8, 0],
        [8, 1],
        [6, 3],
        [1, 40],
        [0.05, 2_000],
      ] as const),
    },
    () => nameOf(random, hints),
  );

const typeUrlOf = (random: Random, { only }: RequestHints): string =>
  random.weighted<() => string>([
    [only === undefined ? 0 : 20, () => (only === undefined ? "" : resourceType(only).url)],
    [20, () => random.pick(resourceTypes).url],
    [only === undefined ? 0.2 : 3, () => ""],
    [1, () => `type.googleapis.com/foo.Bar${random.int(40)}`],
    [0.2, () => "t".repeat(longest + random.int(2))],
    [0.5, () => random.pick(["type.googleapis.com/", "/", "__proto__", resourceTypes[0].url.toUpperCase()])],
  ])();

const nonceOf = (random: Random, { nonces }: RequestHints): string =>
  random.weighted<() => string>([
    [10, () => nonces[0] ?? ""],
    [5, () => nonces[random.int(nonces.length)] ?? ""],
    [5, () => ""],
    [1, () => random.int(1_000_000).toString(36)],
    [0.1, () => "n".repeat(10_000)],
  ])();

const oddValue = (random: Random, depth: number): JsonValue =>
  random.pick<() => JsonValue>([
    () => "text",
    () => random.int(1_000),
    () => null,
    () => (depth > 4 ? true : [oddValue(random, depth + 1)]),
    () => (depth > 4 ? false : { NAMESPACE: oddValue(random, depth + 1), other: oddValue(random, depth + 1) }),
  ])();

function metadataOf(random: Random): JsonObject {
  const keys = ["NAMESPACE", "LABELS", "INSTANCE_IPS", "SERVICE_ACCOUNT", "CLUSTER_ID", "NETWORK", "INTERCEPTION_MODE"];
  const odd = keys.filter(() => random.chance(0.2)).map((key) => [key, oddValue(random, 0)] as const);
  return { ...(random.chance(0.5) && { NAMESPACE: "shop", LABELS: { app: "web" } }), ...Object.fromEntries(odd) };
}

const nodeIdOf = (random: Random): string =>
  random.weighted<() => string>([
    [20, () => oddNode],
    [2, () => `router~10.0.0.${random.int(300)}~gw.shop~shop.svc.cluster.local`],
    [1, () => random.pick(["", "~~~", "sidecar~1~x~y", "sidecar~::1~.~.", oddNode.repeat(40)])],
  ])();

function nodeOf(random: Random) {
  const features = ["envoy.lrs.supports_send_all_clusters", "xds.config.supports-resource-ttl"];
  return {
    id: nodeIdOf(random),
    metadata: metadataOf(random),
    userAgentName: random.pick(["envoy", "gRPC Go", "grpc-node", "", "x".repeat(300)]),
    clientFeatures: [...features, "xds.config.supports-resource-in-sotw"].filter(() => random.chance(0.3)),
    ...(random.chance(0.3) && { locality: { region: "r".repeat(random.pick([0, 20, 20, 20, 1_025])), zone: "z" } }),
    ...(random.chance(0.2) && {
      userAgentVersionType: { case: "userAgentVersion" as const, value: random.pick(["1.29.1", "1.40.0", "a.b"]) },
    }),
  };
}

const errorOf = (random: Random) => ({
  code: random.int(20),
  message: random.pick(["bad cluster", "", "e".repeat(9_000), "\u0000\ud7ff"]),
  ...(random.chance(0.3) && {
    details: [{ typeUrl: random.pick(resourceTypes).url, value: Uint8Array.from(random.bytes(20)) }],
  }),
});

const commonOf = (random: Random, hints: RequestHints, node: number) => ({
  ...(random.chance(node) && { node: nodeOf(random) }),
  typeUrl: typeUrlOf(random, hints),
  responseNonce: nonceOf(random, hints),
  ...(random.chance(0.25) && { errorDetail: errorOf(random) }),
});

/** `node`: how likely it carries one. */
export function oddRequest(random: Random, hints: RequestHints, node = 0.3): Buffer {
  const common = commonOf(random, hints, node);
  if (hints.variant === "sotw") {
    const versionInfo = random.pick(["", "", "1", "abc"]);
    const fields = { ...common, resourceNames: namesOf(random, hints), versionInfo };
    return Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, fields)));
  }
  const known = random.chance(0.2) ? namesOf(random, hints) : [];
  const fields = {
    ...common,
    resourceNamesSubscribe: namesOf(random, hints),
    resourceNamesUnsubscribe: random.chance(0.4) ? namesOf(random, hints) : [],
    initialResourceVersions: Object.fromEntries(known.map((name) => [name, random.pick(["1", "2", ""])])),
  };
  return Buffer.from(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, fields)));
}

/** An odd request, in most cases with something wrong with its bytes besides. */
export function mutatedRequest(random: Random, hints: RequestHints, node = 0.3): Buffer {
  const bytes = oddRequest(random, hints, node);
  if (random.chance(0.4)) return bytes;
  const others = [oddRequest(random, hints, node)];
  return mutated(bytes, random, others);
}
