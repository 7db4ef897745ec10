import { describe, expect, test } from "vitest";
import { clusterWith, createFakeCluster, told } from "./fake-cluster.ts";
import { address, endpoint, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference; what the API server decides is tested with a real one. */

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
