import { expect, test } from "vitest";
import { clusterWith, told } from "./fake-cluster.ts";
import { address, endpoint, node, pod, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

const one = slice("reviews-1", [endpoint("p-1", "10.0.0.1"), endpoint("r-2", "10.0.0.2")]);

test("46: an endpoint is held back until its pod is known", () => {
  const cluster = clusterWith(one);
  expect(told(cluster)).toEqual({ "r-2": "10.0.0.2 healthy" });
  const before = cluster.instances("reviews");
  cluster.apply(slice("reviews-1", [endpoint("r-2", "10.0.0.2")]));
  cluster.apply(pod("p-1"));
  expect(cluster.instances("reviews")).toBe(before);
  cluster.apply(one);
  expect(told(cluster)).toEqual({ "p-1": "10.0.0.1 healthy", "r-2": "10.0.0.2 healthy" });
});

test("46: an endpoint whose pod does not come is told after a while, until it comes or the slice lets it go", () => {
  const cluster = clusterWith(
    one,
    slice("reviews-2", [endpoint("r-1", "10.0.0.9", { targetRef: { kind: "Pod", name: "r-1", uid: "old" } })]),
  );
  expect(cluster.problems()).toEqual([]);
  cluster.clock.advance(20_000);
  expect(cluster.problems()).toEqual([
    "EndpointSlice shop/reviews-1: 10.0.0.1 is held back, because its pod p-1 is not known.",
    "EndpointSlice shop/reviews-2: 10.0.0.9 is held back, because its pod r-1 is not known.",
  ]);
  expect(cluster.registry.health.value.state).toBe("LIVE");
  cluster.apply(pod("p-1"), slice("reviews-2", []));
  cluster.clock.advance(10_000);
  expect(cluster.problems()).toEqual([]);
  cluster.clock.advance(3_600_000);
  expect(cluster.clock.pending()).toBe(0);
});

test.each(["Succeeded", "Failed"])("a pod that has %s is not there", (phase) => {
  const cluster = clusterWith(one, pod("p-1"));
  cluster.apply(pod("p-1", { status: { phase } }));
  expect(told(cluster)).toEqual({ "r-2": "10.0.0.2 healthy" });
});

test("47: a pod gets other labels: its instance changes, its neighbour does not", () => {
  const cluster = clusterWith(one, pod("p-1"));
  const [, neighbour] = cluster.instances("reviews");
  cluster.apply(pod("p-1", { metadata: { labels: { version: "v2" } } }));
  expect(cluster.instances("reviews")).toMatchObject([{ labels: { version: "v2" } }, {}]);
  expect(cluster.instances("reviews")[1]).toBe(neighbour);
});

test("a pod brings identity, network, node and its own word of where it runs", () => {
  const labels = { "topology.istio.io/network": "net-1", "istio-locality": "r2.z2.s2" };
  const cluster = clusterWith(
    node("node-b", { "topology.kubernetes.io/region": "r1" }),
    pod("p-1", { metadata: { labels }, spec: { serviceAccountName: "books", nodeName: "node-b" } }),
    one,
  );
  expect(cluster.instances("reviews")[0]).toEqual({
    id: "p-1",
    address: "10.0.0.1",
    ports: { http: 8080 },
    labels,
    locality: { region: "r2", zone: "z2", subzone: "s2" },
    weight: 1,
    health: "healthy",
    registry: "kubernetes",
    node: "node-b",
    serviceAccount: "books",
    network: "net-1",
  });
  cluster.apply(pod("p-1", { metadata: { labels: { ...labels, "topology.istio.io/locality": "r3.z3" } } }));
  expect(cluster.instances("reviews")[0]?.locality).toEqual({ region: "r3", zone: "z3", subzone: "" });
});

test("48: a pod with another address is what its slice says", () => {
  const cluster = clusterWith(one, pod("p-1", { status: { podIP: "10.0.0.1" } }));
  const before = cluster.registry.catalog.value;
  cluster.apply(pod("p-1", { status: { podIP: "10.0.0.77" } }));
  expect(cluster.registry.catalog.value).toBe(before);
  cluster.apply(slice("reviews-1", [endpoint("p-1", "10.0.0.77")]));
  expect(told(cluster)).toEqual({ "p-1": "10.0.0.77 healthy" });
});

test("49: a locality is the node's, else the zone of the slice; it follows the node's labels", () => {
  const zoned = endpoint("r-1", "10.0.0.1", { zone: "z9" });
  const cluster = clusterWith(slice("reviews-1", [zoned]));
  const locality = () => cluster.instances("reviews")[0]?.locality;
  const [region, zone, subzone] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
  ];
  expect(locality()).toEqual({ region: "", zone: "z9", subzone: "" });
  cluster.apply(node("node-a", { [region]: "r1", [zone]: "z1" }));
  expect(locality()).toEqual({ region: "r1", zone: "z1", subzone: "" });
  cluster.apply(node("node-a", { [region]: "r1", [zone]: "z2", [subzone]: "s2" }));
  expect(locality()).toEqual({ region: "r1", zone: "z2", subzone: "s2" });
  const old = ["region", "zone"].map((word) => [`failure-domain.beta.kubernetes.io/${word}`, `old-${word}`]);
  cluster.apply(node("node-a", Object.fromEntries(old)));
  expect(locality()).toEqual({ region: "old-region", zone: "old-zone", subzone: "" });
  cluster.remove(node("node-a"));
  expect(locality()).toEqual({ region: "", zone: "z9", subzone: "" });
});

test("49: where the node is not known, what the server has copied of it to its pod counts", () => {
  const labels = { "topology.kubernetes.io/region": "r1", "topology.kubernetes.io/zone": "z1" };
  const cluster = clusterWith(
    pod("r-1", { metadata: { labels } }),
    slice("reviews-1", [endpoint("r-1", "10.0.0.1", { zone: "z9" })]),
  );
  expect(cluster.instances("reviews")).toMatchObject([{ locality: { region: "r1", zone: "z1" } }]);
  cluster.apply(node("node-a", { "topology.kubernetes.io/zone": "z2" }));
  expect(cluster.instances("reviews")).toMatchObject([{ locality: { region: "", zone: "z2" } }]);
});

test("49: a node that only its pod names, and one that only the slice names", () => {
  const cluster = clusterWith(
    node("node-a", { "topology.kubernetes.io/zone": "za" }),
    node("node-b", { "topology.kubernetes.io/zone": "zb" }),
    slice("reviews-1", [
      endpoint("r-1", "10.0.0.1", { nodeName: undefined }),
      address("10.0.0.9", { nodeName: "node-b" }),
    ]),
  );
  const zones = () => cluster.instances("reviews").map(({ locality }) => locality.zone);
  expect(zones()).toEqual(["zb", "za"]);
  cluster.apply(node("node-a", { "topology.kubernetes.io/zone": "za2" }));
  cluster.apply(node("node-b", { "topology.kubernetes.io/zone": "zb2" }));
  expect(zones()).toEqual(["zb2", "za2"]);
});

test("50: hints change nothing", () => {
  const hinted = endpoint("r-1", "10.0.0.1", { hints: { forZones: [{ name: "z1" }] } });
  const cluster = clusterWith(slice("reviews-1", [endpoint("r-1", "10.0.0.1"), endpoint("r-2", "10.0.0.2")]));
  const before = cluster.registry.catalog.value;
  cluster.apply(slice("reviews-1", [hinted, endpoint("r-2", "10.0.0.2")]));
  expect(cluster.registry.catalog.value).toBe(before);
});
