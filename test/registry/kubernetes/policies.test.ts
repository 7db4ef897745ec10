import { expect, test } from "vitest";
import { createFakeCluster, serviceOf } from "./fake-cluster.ts";
import { endpoint, namespace, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

test("22: internal traffic stays on the node", () => {
  const spec = { internalTrafficPolicy: "Local", trafficDistribution: "PreferClose" };
  expect(serviceOf(service("reviews", spec)).distribution).toBe("same-node");
});

test.each([
  ["the service's own field", "PreferSameNode", "PreferClose", "PreferClose", "prefer-same-node"],
  ["its annotation", undefined, "prefersamenode", "PreferClose", "prefer-same-node"],
  ["its annotation, which takes back what the namespace says", undefined, "Any", "PreferClose", undefined],
  ["its namespace's annotation", undefined, undefined, "PreferSameZone", "prefer-same-zone"],
  ["nothing", undefined, undefined, undefined, undefined],
])("23: traffic is distributed by %s", (_, field, own, inherited, distribution) => {
  const annotation = "networking.istio.io/traffic-distribution";
  const model = serviceOf(
    service(
      "reviews",
      { ...(field !== undefined && { trafficDistribution: field }) },
      { annotations: { ...(own !== undefined && { [annotation]: own }) } },
    ),
    namespace("shop", { annotations: { ...(inherited !== undefined && { [annotation]: inherited }) } }),
  );
  expect(model.distribution).toBe(distribution);
});

test("23: an unknown distribution is none, and is told; it is still the service's own", () => {
  const cluster = createFakeCluster();
  const annotations = { "networking.istio.io/traffic-distribution": "PreferClose" };
  cluster.apply(
    service("reviews", { trafficDistribution: "PreferMoon" }, { annotations }),
    namespace("shop", { annotations: { "networking.istio.io/traffic-distribution": "PreferSun" } }),
  );
  expect(cluster.service("reviews")).not.toHaveProperty("distribution");
  expect(cluster.problems()).toEqual([
    expect.stringMatching(/^Namespace shop, .*traffic-distribution: .*PreferSun/),
    expect.stringMatching(/^Service shop\/reviews, \/spec\/trafficDistribution: .*PreferMoon/),
  ]);
});

test("23: the namespace changes its mind: services that say nothing follow, others stay the same object", () => {
  const cluster = createFakeCluster();
  const annotation = "networking.istio.io/traffic-distribution";
  cluster.apply(service("reviews"), service("ratings", { trafficDistribution: "PreferSameNode" }), namespace("shop"));
  const ratings = cluster.service("ratings");
  cluster.apply(namespace("shop", { annotations: { [annotation]: "PreferClose" } }));
  expect(cluster.service("reviews")?.distribution).toBe("prefer-same-zone");
  expect(cluster.service("ratings")).toBe(ratings);
});

test.each([
  ["~", []],
  [".", ["shop"]],
  [" shop , test,., test ", ["shop", "test"]],
  ["~,test", ["test"]],
  ["test,*", undefined],
  ["", undefined],
])("24: exported to %j", (text, visibleIn) => {
  const model = serviceOf(service("reviews", {}, { annotations: { "networking.istio.io/exportTo": text } }));
  expect(model.visibleIn).toEqual(visibleIn);
});

test("24: what is no namespace is told and adds nobody", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews", {}, { annotations: { "networking.istio.io/exportTo": "Shop!,test" } }));
  expect(cluster.service("reviews")?.visibleIn).toEqual(["test"]);
  expect(cluster.problems()).toEqual([
    'Service shop/reviews, /metadata/annotations/networking.istio.io~1exportTo: Expected a namespace, found "Shop!".',
  ]);
});

test("25: a service publishes instances that are not ready, and no longer does", () => {
  const cluster = createFakeCluster();
  const slices = slice("reviews-1", [endpoint("r-1", "10.0.0.1", { ready: false })]);
  const health = () => cluster.instances("reviews").map((one) => one.health);
  cluster.apply(service("reviews"), pod("r-1"), slices);
  expect(health()).toEqual(["unhealthy"]);
  cluster.apply(service("reviews", { publishNotReadyAddresses: true }));
  expect(health()).toEqual(["healthy"]);
  cluster.apply(service("reviews"));
  expect(health()).toEqual(["unhealthy"]);
});

test("26: session affinity is not the mesh's: the service is the same object", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews"));
  const before = cluster.service("reviews");
  cluster.apply(service("reviews", { sessionAffinity: "ClientIP" }));
  expect(cluster.service("reviews")).toBe(before);
});

test("27: another selector changes nothing but the slices that follow", () => {
  const cluster = createFakeCluster();
  cluster.apply(
    service("reviews", { selector: { app: "a" } }),
    pod("r-1"),
    slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
  );
  const before = cluster.registry.catalog.value;
  cluster.apply(service("reviews", { selector: { app: "b" } }));
  expect(cluster.registry.catalog.value).toBe(before);
  cluster.apply(slice("reviews-1", []));
  expect(cluster.instances("reviews")).toEqual([]);
  expect(cluster.service("reviews")).toBe(before?.services.get(cluster.serviceThere("reviews").key));
});
