import { expect, test } from "vitest";
import { createFakeCluster, serviceOf } from "./fake-cluster.ts";
import { address, endpoint, httpPort, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

test("1: a ClusterIP with one port without a name", () => {
  const created = "2026-01-02T03:04:05Z";
  expect(serviceOf(service("reviews", { ports: [{ port: 80 }] }, { creationTimestamp: created }))).toEqual({
    key: "shop/reviews.shop.svc.cluster.local",
    hostname: "reviews.shop.svc.cluster.local",
    namespace: "shop",
    addresses: ["10.96.0.1"],
    ports: [{ name: "", number: 80, protocol: "auto" }],
    resolution: "instances",
    external: false,
    createdAt: Date.parse(created),
    origin: { kind: "registry", registry: "kubernetes" },
  });
});

test("3: a headless one: its instances have names in front of its host", () => {
  const cluster = createFakeCluster();
  cluster.apply(
    service("web", { clusterIP: "None", clusterIPs: ["None"] }),
    pod("web-0"),
    slice("web-1", [endpoint("web-0", "10.0.0.1", { hostname: "web-0" })]),
  );
  expect(cluster.service("web")).toMatchObject({ addresses: [], resolution: "original-destination" });
  expect(cluster.instances("web")).toMatchObject([{ id: "web-0", address: "10.0.0.1", hostname: "web-0" }]);
});

test("4: a headless one without ports", () => {
  const cluster = createFakeCluster();
  cluster.apply(
    service("web", { clusterIP: "None", ports: undefined }),
    pod("web-0"),
    slice("web-1", [endpoint("web-0", "10.0.0.1")], { ports: null }),
  );
  expect(cluster.service("web")?.ports).toEqual([]);
  expect(cluster.instances("web")).toMatchObject([{ id: "web-0", ports: {} }]);
  expect(cluster.instances("web")[0]).not.toHaveProperty("lacks");
});

test("5: a headless one without selector, with slices by hand", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("db", { clusterIP: "None" }), slice("db-1", [address("192.168.1.7", { zone: "z1" })]));
  expect(cluster.instances("db")).toEqual([
    {
      id: "192.168.1.7",
      address: "192.168.1.7",
      ports: { http: 8080 },
      labels: {},
      locality: { region: "", zone: "z1", subzone: "" },
      weight: 1,
      health: "healthy",
      registry: "kubernetes",
    },
  ]);
});

test.each([
  ["6: outside", "Api.Example.com.", "api.example.com"],
  ["7: of the mesh", "ratings.shop.svc.cluster.local", "ratings.shop.svc.cluster.local"],
  ["8: that is an alias again, even of itself", "reviews.shop.svc.cluster.local", "reviews.shop.svc.cluster.local"],
])("an ExternalName stands for a host: %s", (_, externalName, aliasOf) => {
  const spec = { type: "ExternalName", clusterIP: undefined, externalName, ports: [httpPort] };
  expect(serviceOf(service("reviews", spec))).toMatchObject({ aliasOf, ports: [], addresses: [] });
});

test("6: an ExternalName that is an address is none that could be resolved, and is told", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews", { type: "ExternalName", externalName: "10.0.0.1" }), service("ratings"));
  expect(cluster.service("reviews")).toBeUndefined();
  expect(cluster.service("ratings")).toBeDefined();
  expect(cluster.problems()).toEqual([
    'Service shop/reviews, /spec/externalName: Expected a host name, found "10.0.0.1".',
  ]);
  expect(cluster.registry.health.value.state).toBe("LIVE");
});

test("9: a ClusterIP becomes an ExternalName; its slices stay behind without effect", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews"), pod("r-1"), slice("reviews-1", [endpoint("r-1", "10.0.0.1")]));
  expect(cluster.instances("reviews")).toHaveLength(1);
  cluster.apply(service("reviews", { type: "ExternalName", externalName: "a.example.com", clusterIP: "" }));
  expect(cluster.service("reviews")).toMatchObject({ aliasOf: "a.example.com", addresses: [], ports: [] });
  expect(cluster.instances("reviews")).toEqual([]);
});

test("9: deleted and made anew as a headless one", () => {
  const cluster = createFakeCluster();
  const before = service("reviews", {}, { uid: "1" });
  cluster.apply(before);
  cluster.remove(before);
  cluster.apply(service("reviews", { clusterIP: "None" }, { uid: "2" }));
  expect(cluster.service("reviews")).toMatchObject({ addresses: [], resolution: "original-destination" });
});

test("10: NodePort and LoadBalancer are ClusterIPs inside; a status that goes takes its addresses along", () => {
  const cluster = createFakeCluster();
  const spec = { type: "LoadBalancer", ports: [{ ...httpPort, nodePort: 30_080 }] };
  const status = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }, { hostname: "LB.Example.com" }] } };
  cluster.apply(service("reviews", spec, { status }));
  expect(cluster.service("reviews")).toMatchObject({
    addresses: ["10.96.0.1"],
    resolution: "instances",
    nodePorts: { http: 30_080 },
    externalAddresses: ["203.0.113.7", "lb.example.com"],
  });
  cluster.apply(service("reviews", spec, { status: { loadBalancer: {} } }));
  expect(cluster.service("reviews")).not.toHaveProperty("externalAddresses");
});

test("11: external IPs, also those of another service", () => {
  const cluster = createFakeCluster();
  const spec = { externalIPs: ["203.0.113.9", "2001:DB8::0:1", "203.0.113.9"] };
  cluster.apply(service("reviews", spec), service("ratings", spec));
  for (const name of ["reviews", "ratings"]) {
    expect(cluster.service(name)?.externalAddresses).toEqual(["203.0.113.9", "2001:db8::1"]);
  }
});

test.each([
  ["IPv4 first", ["10.96.0.1", "FD00::0:1"], ["10.96.0.1", "fd00::1"]],
  ["IPv6 first", ["fd00::1", "10.96.0.1"], ["fd00::1", "10.96.0.1"]],
  ["one family again", ["fd00::1"], ["fd00::1"]],
])("12: the addresses of both families in the service's order: %s", (_, clusterIPs, addresses) => {
  expect(serviceOf(service("reviews", { clusterIP: clusterIPs[0], clusterIPs })).addresses).toEqual(addresses);
});

test("13: an address that another service has again: both say so for as long as both are seen", () => {
  const cluster = createFakeCluster();
  const old = service("reviews");
  cluster.apply(old, service("ratings"));
  expect(cluster.service("reviews")?.addresses).toEqual(cluster.service("ratings")?.addresses);
  cluster.remove(old);
  expect(cluster.service("reviews")).toBeUndefined();
  expect(cluster.service("ratings")?.addresses).toEqual(["10.96.0.1"]);
});

test("14: one name in two namespaces are two services", () => {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews"), service("reviews", { clusterIP: "10.96.0.2" }, { namespace: "test" }));
  expect(cluster.serviceThere("reviews", "shop").addresses).toEqual(["10.96.0.1"]);
  expect(cluster.serviceThere("reviews", "test").addresses).toEqual(["10.96.0.2"]);
});

test("a service's parts that cannot be read are told, and the others live on", () => {
  const cluster = createFakeCluster();
  cluster.apply(
    service(
      "reviews",
      { ports: [httpPort, { name: "bad", port: 0 }, "port"], externalIPs: ["10.0.0"] },
      { creationTimestamp: "yesterday" },
    ),
  );
  expect(cluster.service("reviews")).toMatchObject({ ports: [{ name: "http" }], createdAt: 0 });
  expect(cluster.problems().map((one) => one.split(":")[0])).toEqual([
    "Service shop/reviews, /metadata/creationTimestamp",
    "Service shop/reviews, /spec/ports/1/port",
    "Service shop/reviews, /spec/ports/2/port",
    "Service shop/reviews, /spec/externalIPs/0",
  ]);
  cluster.apply(service("reviews"));
  expect(cluster.problems()).toEqual([]);
});
