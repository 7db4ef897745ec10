import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  decodeDeltaRequest,
  decodeSotwRequest,
  maxErrorLength,
  maxNameLength,
  maxNamesPerRequest,
} from "../../src/envoy/discovery-request.ts";
import { encodeEmptyResource } from "../../src/envoy/discovery-response.ts";
import { ClusterLoadAssignmentSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../src/gen/envoy/service/discovery/v3/discovery_pb.ts";

type SotwInit = Parameters<typeof create<typeof DiscoveryRequestSchema>>[1];
type DeltaInit = Parameters<typeof create<typeof DeltaDiscoveryRequestSchema>>[1];

const sotw = (init: SotwInit) =>
  decodeSotwRequest(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, init)));
const delta = (init: DeltaInit) =>
  decodeDeltaRequest(toBinary(DeltaDiscoveryRequestSchema, create(DeltaDiscoveryRequestSchema, init)));

test("a state-of-the-world request", () => {
  expect(sotw({ typeUrl: "t", resourceNames: ["a", "b"], responseNonce: "n", versionInfo: "v" })).toEqual({
    typeUrl: "t",
    names: ["a", "b"],
    nonce: "n",
    version: "v",
  });
});

test("a delta request", () => {
  expect(
    delta({
      typeUrl: "t",
      resourceNamesSubscribe: ["a"],
      resourceNamesUnsubscribe: ["b"],
      initialResourceVersions: { a: "1" },
      errorDetail: { code: 3, message: "no" },
    }),
  ).toEqual({
    typeUrl: "t",
    subscribe: ["a"],
    unsubscribe: ["b"],
    knownVersions: new Map([["a", "1"]]),
    nonce: "",
    error: "no",
  });
});

test.each([
  [{ case: "userAgentVersion" as const, value: "1.2.3-x" }, "1.2.3-x"],
  [
    {
      case: "userAgentBuildVersion" as const,
      value: { version: { majorNumber: 1, minorNumber: 40, patch: 2 } },
    },
    "1.40.2",
  ],
  [{ case: undefined }, ""],
])("the node, whose client says its version as %j", (userAgentVersionType, version) => {
  const metadata = { LABELS: { app: "shop" } };
  const { node } = sotw({
    node: { id: "i", metadata, locality: { zone: "z" }, userAgentName: "envoy", userAgentVersionType } as never,
  });
  expect(node).toEqual({
    id: "i",
    metadata,
    locality: { region: "", zone: "z", subzone: "" },
    client: { name: "envoy", version },
    features: [],
  });
});

describe("limits", () => {
  const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
  const long = "x".repeat(maxNameLength + 1);
  test.each<[string, () => unknown]>([
    ["names", () => sotw({ resourceNames: many(maxNamesPerRequest + 1) })],
    ["subscribed names", () => delta({ resourceNamesSubscribe: many(maxNamesPerRequest + 1) })],
    ["unsubscribed names", () => delta({ resourceNamesUnsubscribe: many(maxNamesPerRequest + 1) })],
    ["a long name", () => sotw({ resourceNames: [long] })],
    ["a long type", () => sotw({ typeUrl: long })],
    ["a long known name", () => delta({ initialResourceVersions: { [long]: "1" } })],
    ["a long known version", () => delta({ initialResourceVersions: { a: long } })],
  ])("%s", (_, decode) => {
    expect(decode).toThrow(
      expect.objectContaining({ code: "input/invalid", hint: expect.stringMatching(/At most 100000 names/) }),
    );
  });

  test("what real clients send is taken: 60 000 names of 80 characters, 40 000 known versions", () => {
    const names = many(60_000).map((name) => name.padEnd(80, "-"));
    expect(sotw({ resourceNames: names }).names).toEqual(names);
    const known = Object.fromEntries(names.slice(0, 40_000).map((name) => [name, "v".repeat(22)]));
    expect(delta({ initialResourceVersions: known }).knownVersions.size).toBe(40_000);
  });

  test("an error text is cut, and an empty one replaced", () => {
    expect(sotw({ errorDetail: { message: "x".repeat(100_000) } }).error).toHaveLength(maxErrorLength);
    expect(sotw({ errorDetail: { code: 13 } }).error).toBe("refused without a text, status code 13");
  });

  test.each<[string, NonNullable<SotwInit>["node"]]>([
    ["region", { locality: { region: "r".repeat(1_025) } }],
    ["subzone", { locality: { subZone: "s".repeat(1_025) } }],
    ["user agent", { userAgentName: "u".repeat(1_025) }],
    ["version", { userAgentVersionType: { case: "userAgentVersion", value: "v".repeat(1_025) } }],
  ])("a node is kept: its %s may not be long", (_, node) => {
    expect(() => sotw({ typeUrl: "t", node })).toThrow("the node has a locality or a user agent of 1025 characters");
  });

  test("of a node's features those are looked at that can be known", () => {
    const clientFeatures = ["f".repeat(257), ...Array.from({ length: 300 }, (_, i) => `f${i}`)];
    expect(sotw({ typeUrl: "t", node: { clientFeatures } }).node?.features).toEqual(clientFeatures.slice(1, 256));
  });

  test("bytes that are no request", () => {
    const bytes = Uint8Array.of(0x0a, 0xff);
    expect(() => decodeSotwRequest(bytes)).toThrow("the request is no DiscoveryRequest");
    expect(() => decodeDeltaRequest(bytes)).toThrow("the request is no DeltaDiscoveryRequest");
  });
});

test("an empty assignment", () => {
  expect(fromBinary(ClusterLoadAssignmentSchema, encodeEmptyResource("a"))).toMatchObject({
    clusterName: "a",
    endpoints: [],
  });
});
