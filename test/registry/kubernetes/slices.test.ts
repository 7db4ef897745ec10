import { describe, expect, test } from "vitest";
import { createFakeCluster, type FakeCluster } from "./fake-cluster.ts";
import { address, endpoint, type Manifest, node, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

/** With the service `reviews` and the pods `r-1` to `r-3`. */
function clusterWith(...objects: readonly Manifest[]): FakeCluster {
  const cluster = createFakeCluster();
  cluster.apply(service("reviews"), pod("r-1"), pod("r-2"), pod("r-3"), ...objects);
  return cluster;
}

const told = (cluster: FakeCluster) =>
  Object.fromEntries(cluster.instances("reviews").map(({ id, address: at, health }) => [id, `${at} ${health}`]));

describe("conditions", () => {
  test("31: nothing said is ready", () => {
    const said = { ...endpoint("r-1", "10.0.0.1"), conditions: undefined };
    expect(told(clusterWith(slice("reviews-1", [said])))).toEqual({ "r-1": "10.0.0.1 healthy" });
  });

  test.each([
    ["32: not ready", { ready: false }, "unhealthy"],
    ["33: going, and serving", { ready: false, serving: true, terminating: true }, "draining"],
    ["33: going, and serving unsaid", { ready: false, terminating: true }, "draining"],
    ["33: going, and not serving", { ready: false, serving: false, terminating: true }, undefined],
    ["34: not ready, going unsaid", { ready: false, serving: true }, "unhealthy"],
  ])("%s", (_, conditions, health) => {
    const cluster = clusterWith(slice("reviews-1", [endpoint("r-1", "10.0.0.1", conditions)]));
    expect(told(cluster)).toEqual(health === undefined ? {} : { "r-1": `10.0.0.1 ${health}` });
  });

  test("35: all are going", () => {
    const going = { ready: false, serving: true, terminating: true };
    const cluster = clusterWith(
      slice("reviews-1", [endpoint("r-1", "10.0.0.1", going), endpoint("r-2", "10.0.0.2", going)]),
    );
    expect(told(cluster)).toEqual({ "r-1": "10.0.0.1 draining", "r-2": "10.0.0.2 draining" });
  });
});

describe("one copy in several slices", () => {
  const ready = endpoint("r-1", "10.0.0.1");
  const notReady = endpoint("r-1", "10.0.0.1", { ready: false });
  const going = endpoint("r-1", "10.0.0.1", { ready: false, serving: true, terminating: true });

  test.each([
    ["ready before not ready", ready, notReady, "healthy"],
    ["staying before going", notReady, going, "unhealthy"],
  ])("36: %s, whichever slice says so", (_, better, worse, health) => {
    for (const [first, second] of [
      [better, worse],
      [worse, better],
    ]) {
      const cluster = clusterWith(slice("reviews-1", [first]), slice("reviews-2", [second]));
      expect(told(cluster)).toEqual({ "r-1": `10.0.0.1 ${health}` });
    }
  });

  test("36: moved from slice to slice, told in either order: the instance is the same object all the time", () => {
    const [here, there] = [slice("reviews-1", [ready]), slice("reviews-2", [ready])];
    const cluster = clusterWith(here);
    const [instance] = cluster.instances("reviews");
    cluster.apply(there);
    expect(cluster.instances("reviews")).toEqual([instance]);
    cluster.remove(here);
    expect(cluster.instances("reviews")[0]).toBe(instance);
    cluster.applyTogether([slice("reviews-2", []), slice("reviews-1", [ready])]);
    expect(cluster.instances("reviews")[0]).toBe(instance);
    cluster.remove(slice("reviews-1", []));
    expect(told(cluster)).toEqual({});
    cluster.apply(there);
    expect(told(cluster)).toEqual({ "r-1": "10.0.0.1 healthy" });
  });

  test("37: an address that was given to another pod is the new one's", () => {
    const old = endpoint("r-1", "10.0.0.1", { ready: false, serving: true, terminating: true });
    const cluster = clusterWith(slice("reviews-1", [old]), slice("reviews-2", [endpoint("r-2", "10.0.0.1")]));
    expect(told(cluster)).toEqual({ "r-2": "10.0.0.1 healthy" });
    cluster.apply(slice("reviews-2", []));
    expect(told(cluster)).toEqual({ "r-1": "10.0.0.1 draining" });
  });

  test("37: pods of one host share its address and differ in their ports", () => {
    const cluster = clusterWith(
      slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
      slice("reviews-2", [endpoint("r-2", "10.0.0.1")], { ports: [{ name: "http", port: 8081 }] }),
    );
    expect(cluster.instances("reviews")).toMatchObject([
      { id: "r-1", address: "10.0.0.1", ports: { http: 8080 } },
      { id: "r-2", address: "10.0.0.1", ports: { http: 8081 } },
    ]);
  });

  test("38: 250 endpoints over three slices; one slice goes while the others stay", () => {
    const names = Array.from({ length: 250 }, (_, i) => `p-${String(i).padStart(3, "0")}`);
    const parts = [0, 1, 2].map((part) =>
      slice(
        `reviews-${part}`,
        names.slice(part * 100, (part + 1) * 100).map((name, i) => endpoint(name, `10.0.${part}.${i + 1}`)),
      ),
    );
    const cluster = clusterWith(...names.map((name) => pod(name)), ...parts);
    const before = cluster.instances("reviews");
    expect(before.map(({ id }) => id)).toEqual(names);
    cluster.remove(slice("reviews-1", []));
    const after = cluster.instances("reviews");
    expect(after).toHaveLength(150);
    for (const instance of after) expect(before).toContain(instance);
  });

  test("41: a pod with addresses of both families is one instance; the service's first family leads", () => {
    const objects = [
      slice("reviews-4", [endpoint("r-1", "10.0.0.1")]),
      slice("reviews-6", [endpoint("r-1", "FD00::0:1")], { addressType: "IPv6" }),
    ];
    const cluster = clusterWith(...objects);
    expect(cluster.instances("reviews")).toMatchObject([
      { id: "r-1", address: "10.0.0.1", otherAddresses: ["fd00::1"], ports: { http: 8080 } },
    ]);
    cluster.apply(service("reviews", { clusterIP: "fd00::9", clusterIPs: ["fd00::9", "10.96.0.1"] }));
    expect(cluster.instances("reviews")).toMatchObject([{ address: "fd00::1", otherAddresses: ["10.0.0.1"] }]);
    cluster.remove(slice("reviews-6", []));
    expect(cluster.instances("reviews")).toMatchObject([{ address: "10.0.0.1" }]);
    expect(cluster.instances("reviews")[0]).not.toHaveProperty("otherAddresses");
  });

  test("what contradicts is a copy of its own: one port of an address with two numbers, two addresses of one pod", () => {
    const cluster = clusterWith(
      slice("reviews-1", [address("10.9.0.1"), endpoint("r-1", "10.0.0.1")]),
      slice("reviews-2", [address("10.9.0.1"), endpoint("r-1", "10.8.0.1")], { ports: [{ name: "http", port: 81 }] }),
    );
    expect(cluster.instances("reviews")).toMatchObject([
      { id: "10.9.0.1", address: "10.9.0.1", ports: { http: 8080 } },
      { id: "10.9.0.1/shop/reviews-2/10.9.0.1", address: "10.9.0.1", ports: { http: 81 } },
      { id: "r-1", address: "10.0.0.1" },
      { id: "r-1/shop/reviews-2/10.8.0.1", address: "10.8.0.1", labels: { app: "reviews" } },
    ]);
  });

  test("slices with a port each make one instance with both", () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "grpc", port: 81 },
    ];
    const cluster = clusterWith(
      service("reviews", { ports }),
      slice("reviews-1", [endpoint("r-1", "10.0.0.1")]),
      slice("reviews-2", [endpoint("r-1", "10.0.0.1")], { ports: [{ name: "grpc", port: 8081 }] }),
    );
    expect(cluster.instances("reviews")).toMatchObject([{ id: "r-1", ports: { http: 8080, grpc: 8081 } }]);
    expect(cluster.instances("reviews")[0]).not.toHaveProperty("lacks");
  });
});

describe("what slices say", () => {
  test("39: of several addresses the first counts", () => {
    const several = { ...endpoint("r-1", "10.0.0.1"), addresses: ["10.0.0.1", "10.0.0.2"] };
    expect(told(clusterWith(slice("reviews-1", [several])))).toEqual({ "r-1": "10.0.0.1 healthy" });
  });

  test("40: slices of host names are not used, and told", () => {
    const named = slice("reviews-1", [address("a.example.com")], { addressType: "FQDN" });
    const cluster = clusterWith(named, slice("reviews-2", [endpoint("r-1", "10.0.0.1")]));
    expect(told(cluster)).toEqual({ "r-1": "10.0.0.1 healthy" });
    expect(cluster.problems()).toEqual([
      "EndpointSlice shop/reviews-1, /addressType: Slices of the address type FQDN are not used.",
    ]);
  });

  test("42: a slice without a service is nobody's; it may change to another one", () => {
    const labels = (name?: string) => ({
      metadata: { labels: { ...(name !== undefined && { "kubernetes.io/service-name": name }) } },
    });
    const cluster = clusterWith(service("ratings"));
    const sizes = () => ["reviews", "ratings"].map((name) => cluster.instances(name).length);
    for (const [name, expected] of [
      ["reviews", [1, 0]],
      ["ratings", [0, 1]],
      [undefined, [0, 0]],
      ["nobody", [0, 0]],
      ["reviews", [1, 0]],
    ] as const) {
      cluster.apply(slice("reviews-1", [endpoint("r-1", "10.0.0.1")], labels(name)));
      expect(sizes()).toEqual(expected);
    }
  });

  test("43: slices of other clusters are ignored", () => {
    const labels = { "kubernetes.io/service-name": "reviews", "multicluster.kubernetes.io/service-name": "reviews" };
    const cluster = clusterWith(slice("reviews-1", [endpoint("r-1", "10.0.0.1")], { metadata: { labels } }));
    expect(told(cluster)).toEqual({});
  });

  test.each([
    ["without a number", [{ name: "http" }]],
    ["none", []],
    ["unsaid", null],
    ["without a name", [{ port: 8080 }]],
    ["that the service does not have", [{ name: "admin", port: 8080 }]],
  ])("44: ports %s", (_, ports) => {
    const cluster = clusterWith(slice("reviews-1", [endpoint("r-1", "10.0.0.1")], { ports }));
    expect(cluster.instances("reviews")).toMatchObject([{ id: "r-1", ports: {}, lacks: ["http"] }]);
    expect(cluster.problems()).toEqual([]);
  });

  test("44: a port without a name is that of a service whose port has none", () => {
    const cluster = clusterWith(
      service("reviews", { ports: [{ port: 80 }] }),
      slice("reviews-1", [endpoint("r-1", "10.0.0.1")], { ports: [{ name: "", port: 8080 }] }),
    );
    expect(cluster.instances("reviews")).toMatchObject([{ ports: { "": 8080 } }]);
  });

  test("45: what is no pod has no identity; a pod of another namespace lends none; another uid is another pod", () => {
    const cluster = clusterWith(
      slice("reviews-1", [
        address("10.0.0.1", { targetRef: { kind: "VirtualMachine", name: "r-1", namespace: "shop" } }),
        address("10.0.0.2", { targetRef: { kind: "Pod", name: "r-1", namespace: "other" } }),
        address("10.0.0.3", { targetRef: { kind: "Pod", name: "r-2", namespace: "shop", uid: "old" } }),
        address("10.0.0.4", { targetRef: { kind: "Pod", name: "r-3" } }),
      ]),
    );
    expect(cluster.instances("reviews")).toMatchObject([
      { id: "10.0.0.1", labels: {} },
      { id: "10.0.0.2", labels: {} },
      { id: "r-3", address: "10.0.0.4", labels: { app: "reviews" } },
    ]);
    expect(cluster.problems()).toEqual([
      expect.stringContaining("/endpoints/1/targetRef: A pod of the namespace other"),
    ]);
  });

  test("51: an endpoint that cannot be read is told, and its neighbours live on", () => {
    const cluster = clusterWith(
      slice("reviews-1", [
        endpoint("r-1", "10.0.0.256"),
        endpoint("r-2", "10.0.0.2"),
        endpoint("r-3", "fd00::1"),
        { addresses: [] },
        "r-1",
      ]),
    );
    expect(told(cluster)).toEqual({ "r-2": "10.0.0.2 healthy" });
    expect(cluster.problems()).toEqual([
      'EndpointSlice shop/reviews-1, /endpoints/0/addresses/0: Expected an IPv4 address, found "10.0.0.256".',
      'EndpointSlice shop/reviews-1, /endpoints/2/addresses/0: Expected an IPv4 address, found "fd00::1".',
    ]);
  });

  test("52: IPv6 addresses have one text", () => {
    const cluster = clusterWith(
      slice("reviews-1", [address("2001:DB8:0:0:0:0:0:1"), address("2001:db8::1")], { addressType: "IPv6" }),
    );
    expect(cluster.instances("reviews")).toMatchObject([{ id: "2001:db8::1", address: "2001:db8::1" }]);
  });

  test("53: the slice of the API server itself", () => {
    const cluster = createFakeCluster();
    const own = { namespace: "default", labels: { "kubernetes.io/service-name": "kubernetes" } };
    cluster.apply(
      service("kubernetes", { ports: [{ name: "https", port: 443, targetPort: 6443 }] }, { namespace: "default" }),
      slice("kubernetes", [{ addresses: ["192.0.2.1"], conditions: { ready: true } }], {
        metadata: own,
        ports: [{ name: "https", port: 6443, protocol: "TCP" }],
      }),
    );
    expect(cluster.instances("kubernetes", "default")).toMatchObject([{ id: "192.0.2.1", ports: { https: 6443 } }]);
  });
});

describe("pods and nodes", () => {
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
});
