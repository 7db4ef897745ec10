import fc from "fast-check";
import { expect, test } from "vitest";
import { isIpAddress } from "../../../src/model/ip-address.ts";
import { createFakeCluster } from "./fake-cluster.ts";
import { endpoint, type Manifest, namespace, node, pod, service, slice } from "./manifests.ts";

const annotations = {
  "networking.istio.io/exportTo": "shop,test",
  "networking.istio.io/traffic-distribution": "PreferClose",
};

/** What is said of one service, with all that is read. */
const objects: readonly Manifest[] = [
  namespace("shop", { labels: { mesh: "on" }, annotations }),
  node("node-a", { "topology.kubernetes.io/region": "r1", "topology.kubernetes.io/zone": "z1" }),
  service(
    "reviews",
    {
      ...{ clusterIPs: ["10.96.0.1", "fd00::1"], externalIPs: ["203.0.113.7"], internalTrafficPolicy: "Cluster" },
      ...{ publishNotReadyAddresses: true, trafficDistribution: "PreferSameNode" },
      ports: [{ name: "http", port: 80, protocol: "TCP", appProtocol: "http", nodePort: 30_080 }],
    },
    {
      ...{ annotations, creationTimestamp: "2026-01-02T03:04:05Z" },
      status: { loadBalancer: { ingress: [{ ip: "203.0.113.8" }, { hostname: "lb.example.com" }] } },
    },
  ),
  service("alias", { type: "ExternalName", externalName: "a.example.com" }),
  pod("r-1", { metadata: { labels: { "topology.istio.io/network": "n", "istio-locality": "a.b.c" } } }),
  slice("reviews-1", [endpoint("r-1", "10.0.0.1", { ready: false, serving: true, terminating: true, zone: "z1" })]),
];

type Path = readonly (string | number)[];

/** Of everything inside. */
const pathsIn = (value: unknown, at: Path = []): readonly Path[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([step, part]): Path[] => [[...at, step], ...pathsIn(part, [...at, step])])
    : [];

/** The client has looked at these. */
const checked = new Set(["kind", "metadata", "metadata.name", "metadata.namespace", "metadata.uid"]);

function replaced(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by;
  const copy: Record<string | number, unknown> = Array.isArray(value)
    ? ([...value] as never)
    : { ...(value as object) };
  copy[step] = replaced(copy[step], rest, by);
  return copy;
}

const oddValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    0,
    -1,
    1.5,
    70_000,
    Number.MAX_VALUE,
    "",
    " ",
    "None",
    "*",
    "10.0.0.256",
  ),
  fc.constantFrom<unknown>(
    "x".repeat(20_000),
    "\u0000",
    "a\nb",
    "\ud800",
    "__proto__",
    "constructor",
    [],
    {},
    [[]],
    [null],
  ),
  fc.constant(Array.from({ length: 30_000 }, () => ({ addresses: ["10.0.0.1"], port: 1 }))),
  fc.constant(JSON.parse('{"__proto__": {"polluted": "yes"}, "constructor": 1}')),
  fc.jsonValue({ maxDepth: 2 }),
);

const oddObject = fc.constantFrom(...objects).chain((object) =>
  fc
    .array(
      fc.record({
        path: fc.constantFrom(...pathsIn(object).filter((path) => !checked.has(path.join(".")))),
        value: oddValue,
      }),
      { minLength: 1, maxLength: 3 },
    )
    .map((changes) => changes.reduce((one, { path, value }) => replaced(one, path, value) as Manifest, object)),
);

test("whatever is in an object, it is told or left out; nothing throws, and what comes of it is of the model", () => {
  fc.assert(
    fc.property(fc.array(oddObject, { minLength: 1, maxLength: 3 }), (odd) => {
      const cluster = createFakeCluster();
      cluster.apply(
        ...objects,
        service("ratings"),
        pod("n-1"),
        slice("ratings-1", [endpoint("n-1", "10.0.0.9", { zone: "z9", nodeName: "node-b" })]),
      );
      const [ratings, instances] = [cluster.service("ratings"), cluster.instances("ratings")];
      cluster.apply(...odd);
      expect(cluster.instances("ratings")).toHaveLength(1);
      expect(cluster.service("ratings")?.ports).toBe(ratings?.ports);
      expect(cluster.instances("ratings")[0]?.address).toBe(instances[0]?.address);
      const { catalog } = cluster.registry;
      for (const { ports, addresses, createdAt, aliasOf } of catalog.value?.services.values() ?? []) {
        expect(ports.every(({ number }) => Number.isInteger(number) && number >= 1 && number <= 65_535)).toBe(true);
        expect(addresses.every(isIpAddress)).toBe(true);
        expect(Number.isFinite(createdAt)).toBe(true);
        expect(aliasOf === undefined || aliasOf.length <= 253).toBe(true);
      }
      for (const { address, ports, labels, id } of [...(catalog.value?.instances.values() ?? [])].flat()) {
        expect(isIpAddress(address)).toBe(true);
        expect(id.length).toBeLessThan(1_000);
        expect(Object.values({ ...ports }).every(Number.isInteger)).toBe(true);
        expect(Object.values(labels).every((value) => typeof value === "string")).toBe(true);
      }
      expect(cluster.problems().every((message) => message.length < 1_000)).toBe(true);
      expect(Reflect.get({}, "polluted")).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
}, 60_000);
