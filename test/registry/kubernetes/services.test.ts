import { describe, expect, test } from "vitest";
import { parseLabelSelector } from "../../../src/model/label-selector.ts";
import { createFakeCluster } from "./fake-cluster.ts";
import { address, endpoint, httpPort, type Manifest, namespace, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

/** The only service of a cluster that has these objects. */
function modelOf(...manifests: readonly Manifest[]) {
  const cluster = createFakeCluster();
  cluster.apply(...manifests);
  const [first] = manifests;
  return cluster.serviceThere(first?.metadata.name ?? "", first?.metadata.namespace);
}

describe("kinds of services", () => {
  test("1: a ClusterIP with one port without a name", () => {
    const created = "2026-01-02T03:04:05Z";
    expect(modelOf(service("reviews", { ports: [{ port: 80 }] }, { creationTimestamp: created }))).toEqual({
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
    expect(modelOf(service("reviews", spec))).toMatchObject({ aliasOf, ports: [], addresses: [] });
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
    expect(modelOf(service("reviews", { clusterIP: clusterIPs[0], clusterIPs })).addresses).toEqual(addresses);
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
});

describe("ports", () => {
  const protocolsOf = (ports: readonly object[]) =>
    modelOf(service("reviews", { ports })).ports.map(({ protocol }) => protocol);

  test("15: one number over TCP, UDP and SCTP", () => {
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
      { name: "sig", port: 53, protocol: "SCTP" },
    ];
    expect(modelOf(service("dns", { ports })).ports).toEqual([
      { name: "dns", number: 53, protocol: "udp" },
      { name: "dns-tcp", number: 53, protocol: "tcp" },
      { name: "sig", number: 53, protocol: "sctp" },
    ]);
  });

  test.each([
    ["grpc", "tcp", "grpc"],
    ["HTTPS", "http", "https"],
    ["kubernetes.io/h2c", "tcp", "http2"],
    ["kubernetes.io/ws", "tcp", "http"],
    ["kubernetes.io/wss", "http", "https"],
    ["example.com/own", "http", "auto"],
  ])("16: appProtocol %s beats the name %s", (appProtocol, name, protocol) => {
    expect(protocolsOf([{ name, port: 80, appProtocol }])).toEqual([protocol]);
  });

  test.each([
    ["http", "http"],
    ["http-x", "http"],
    ["httpx", "auto"],
    ["grpc-web-foo", "grpc-web"],
    ["grpc-foo", "grpc"],
    ["mongo-db", "tcp"],
    ["redis", "tcp"],
    ["web", "auto"],
  ])("17: a port with the name %s speaks %s", (name, protocol) => {
    expect(protocolsOf([{ name, port: 80 }])).toEqual([protocol]);
  });

  test("18: a well-known port without a name", () => {
    expect(protocolsOf([{ port: 3306 }])).toEqual(["tcp"]);
  });

  test("19: a port gets another name: the service changes, its slices follow", () => {
    const cluster = createFakeCluster();
    cluster.apply(service("reviews"), pod("r-1"), slice("reviews-1", [endpoint("r-1", "10.0.0.1")]));
    cluster.apply(service("reviews", { ports: [{ ...httpPort, name: "grpc" }] }));
    expect(cluster.service("reviews")?.ports).toEqual([{ name: "grpc", number: 80, protocol: "grpc" }]);
    expect(cluster.instances("reviews")).toMatchObject([{ ports: {}, lacks: ["grpc"] }]);
    cluster.apply(slice("reviews-1", [endpoint("r-1", "10.0.0.1")], { ports: [{ name: "grpc", port: 8080 }] }));
    expect(cluster.instances("reviews")).toMatchObject([{ ports: { grpc: 8080 } }]);
    expect(cluster.instances("reviews")[0]).not.toHaveProperty("lacks");
  });

  test("20: pods listen on numbers of their own, and one does not listen at all", () => {
    const cluster = createFakeCluster();
    cluster.apply(
      service("reviews"),
      ...["r-1", "r-2", "r-3"].map((name) => pod(name)),
      slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
      slice("reviews-2", [endpoint("r-2", "10.0.0.2")], { ports: [{ name: "http", port: 9090 }] }),
      slice("reviews-3", [endpoint("r-3", "10.0.0.3")], { ports: [] }),
    );
    expect(cluster.instances("reviews")).toMatchObject([
      { id: "r-1", ports: { http: 8080 } },
      { id: "r-2", ports: { http: 9090 } },
      { id: "r-3", ports: {}, lacks: ["http"] },
    ]);
  });

  test("21: two ports of a service lead to one of its instances", () => {
    const cluster = createFakeCluster();
    const ports = [
      { name: "http", port: 80 },
      { name: "tcp-raw", port: 81 },
    ];
    cluster.apply(
      service("reviews", { ports }),
      pod("r-1"),
      slice("reviews-1", [endpoint("r-1", "10.0.0.1")], {
        ports: [
          { name: "http", port: 8080 },
          { name: "tcp-raw", port: 8080 },
        ],
      }),
    );
    expect(cluster.instances("reviews")).toMatchObject([{ ports: { http: 8080, "tcp-raw": 8080 } }]);
  });
});

describe("policies", () => {
  test("22: internal traffic stays on the node", () => {
    const spec = { internalTrafficPolicy: "Local", trafficDistribution: "PreferClose" };
    expect(modelOf(service("reviews", spec)).distribution).toBe("same-node");
  });

  test.each([
    ["the service's own field", "PreferSameNode", "PreferClose", "PreferClose", "prefer-same-node"],
    ["its annotation", undefined, "prefersamenode", "PreferClose", "prefer-same-node"],
    ["its annotation, which takes back what the namespace says", undefined, "Any", "PreferClose", undefined],
    ["its namespace's annotation", undefined, undefined, "PreferSameZone", "prefer-same-zone"],
    ["nothing", undefined, undefined, undefined, undefined],
  ])("23: traffic is distributed by %s", (_, field, own, inherited, distribution) => {
    const annotation = "networking.istio.io/traffic-distribution";
    const model = modelOf(
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
    const model = modelOf(service("reviews", {}, { annotations: { "networking.istio.io/exportTo": text } }));
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
});

describe("comings and goings", () => {
  const parts = {
    service: service("reviews"),
    slice: slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
    pod: pod("r-1"),
  } as const;

  test.each([
    [["service", "slice", "pod"]],
    [["slice", "pod", "service"]],
    [["pod", "slice", "service"]],
    [["slice", "service", "pod"]],
  ] as const)("28: created as %j, and taken away in the same order", (order) => {
    const cluster = createFakeCluster();
    for (const part of order) cluster.apply(parts[part]);
    expect(cluster.instances("reviews")).toMatchObject([{ id: "r-1", address: "10.0.0.1" }]);
    for (const part of order) cluster.remove(parts[part]);
    expect(cluster.registry.catalog.value?.services.size).toBe(0);
    expect(cluster.registry.catalog.value?.instances.size).toBe(0);
  });

  test("29: a namespace that is no longer selected goes with all services in it, and comes back", () => {
    const selector = parseLabelSelector("mesh=on") ?? expect.fail("no selector");
    const cluster = createFakeCluster({ discoverySelectors: [selector] });
    cluster.apply(parts.service, parts.pod, parts.slice);
    expect(cluster.service("reviews")).toBeUndefined();
    for (const [mesh, length] of [
      ["on", 1],
      ["off", 0],
      ["on", 1],
    ] as const) {
      cluster.apply(namespace("shop", { labels: { mesh } }));
      expect(cluster.registry.catalog.value?.services.size).toBe(length);
      expect(cluster.instances("reviews")).toHaveLength(length);
    }
  });

  test("30: long names, and hosts that are too long", () => {
    const name = "a".repeat(63);
    const namespaceName = "n".repeat(63);
    const domain = `${"d".repeat(63)}.${"e".repeat(57)}`;
    const cluster = createFakeCluster({ domain });
    cluster.apply(service(name, {}, { namespace: namespaceName }), service("b", {}, { namespace: "m" }));
    expect(cluster.service("b", "m")).toBeDefined();
    expect(cluster.serviceThere(name, namespaceName).hostname).toHaveLength(253);
    const longer = createFakeCluster({ domain: `${domain}x` });
    longer.apply(service(name, {}, { namespace: namespaceName }), service("b", {}, { namespace: "m" }));
    expect(longer.registry.catalog.value?.services.size).toBe(1);
    expect(longer.problems()).toEqual([expect.stringContaining("too long")]);
  });
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
