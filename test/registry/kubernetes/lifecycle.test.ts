import { describe, expect, test } from "vitest";
import { parseLabelSelector } from "../../../src/model/label-selector.ts";
import type { RegistryState } from "../../../src/registry/source.ts";
import { createFakeCluster, kindOfPlural } from "./fake-cluster.ts";
import { endpoint, namespace, node, pod, service, slice } from "./manifests.ts";

/* The numbers are those of the list of edge cases in the reference. */

const kinds = Object.values(kindOfPlural);
const mesh = [service("reviews"), pod("r-1"), slice("reviews-1", [endpoint("r-1", "10.0.0.1")])] as const;

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

describe("changes", () => {
  test("55: a list after a gap: what came, what went, and what was made anew, with no empty catalog in between", () => {
    const cluster = createFakeCluster();
    const slices = (uid: string) =>
      slice("reviews-1", [
        endpoint("r-1", "10.0.0.1"),
        endpoint("r-2", "10.0.0.2", { targetRef: { kind: "Pod", name: "r-2", namespace: "shop", uid } }),
      ]);
    cluster.apply(service("reviews"), pod("r-1"), pod("r-2", { metadata: { uid: "old" } }), slices("old"));
    const [kept] = cluster.instances("reviews");
    const sizes: number[] = [];
    cluster.registry.catalog.subscribe(() => sizes.push(cluster.instances("reviews").length));
    cluster.relist("Pod", [
      pod("r-1"),
      pod("r-2", { metadata: { uid: "new", labels: { version: "v2" } } }),
      pod("r-3"),
    ]);
    expect(cluster.instances("reviews")).toEqual([kept]);
    cluster.relist("EndpointSlice", [slices("new")]);
    expect(cluster.instances("reviews")).toMatchObject([{ id: "r-1" }, { id: "r-2", labels: { version: "v2" } }]);
    expect(cluster.instances("reviews")[0]).toBe(kept);
    cluster.relist("Service", [service("ratings")]);
    expect([...(cluster.registry.catalog.value?.services.values() ?? [])]).toMatchObject([
      { hostname: "ratings.shop.svc.cluster.local" },
    ]);
    expect(sizes).toEqual([1, 2, 0]);
  });

  test("56: objects that say the same again are no new catalog", () => {
    const cluster = createFakeCluster();
    cluster.apply(...mesh, namespace("shop"), node("node-a", { "topology.kubernetes.io/zone": "z1" }));
    const before = cluster.registry.catalog.value;
    cluster.apply(...mesh, namespace("shop", { annotations: { note: "x" } }));
    cluster.apply(pod("r-1", { status: { conditions: [{ type: "Ready", status: "True" }] } }));
    cluster.apply(node("node-a", { "topology.kubernetes.io/zone": "z1", "kubernetes.io/hostname": "a" }));
    expect(cluster.registry.catalog.value).toBe(before);
  });

  test("58: a namespace goes with all that is in it, in whichever order that is told", () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 3, 0, 1],
    ]) {
      const cluster = createFakeCluster();
      const all = [...mesh, namespace("shop")];
      cluster.apply(...all, service("kept", {}, { namespace: "other" }));
      cluster.remove(...order.flatMap((index) => all[index] ?? []));
      expect([...(cluster.registry.catalog.value?.services.values() ?? [])]).toMatchObject([{ namespace: "other" }]);
      expect(cluster.registry.catalog.value?.instances.size).toBe(0);
    }
  });

  test("59: 10,000 events in a burst are few catalogs, and the last one is right", () => {
    const cluster = createFakeCluster();
    cluster.apply(...mesh);
    let catalogs = 0;
    cluster.registry.catalog.subscribe(() => catalogs++);
    const feed = cluster.feed("Pod");
    for (let event = 0; event < 10_000; event++) feed(pod("r-1", { metadata: { labels: { event: String(event) } } }));
    cluster.clock.advance(1_000);
    expect(cluster.instances("reviews")).toMatchObject([{ labels: { event: "9999" } }]);
    expect(catalogs).toBeLessThanOrEqual(2);
  });
});

describe("contact", () => {
  const problem = { message: "403 Forbidden", hint: "Give the permission to list them." };

  test("60: while the server is away the last catalog stays, however long, and the state says why", () => {
    const cluster = createFakeCluster();
    cluster.apply(...mesh);
    const before = cluster.registry.catalog.value;
    const states: RegistryState[] = [];
    cluster.registry.health.subscribe(({ state }) => states.push(state));
    for (const kind of kinds)
      cluster.setState(kind, { kind: "lost", problem: { message: "No answer.", hint: "Wait." } });
    cluster.clock.advance(3_600_000);
    expect(cluster.registry.catalog.value).toBe(before);
    expect(cluster.registry.health.value).toMatchObject({ state: "OUTAGE" });
    expect(cluster.problems()).toEqual([
      "Namespaces: No answer.",
      "Services: No answer.",
      "EndpointSlices: No answer.",
      "Pods: No answer.",
      "Nodes: No answer.",
    ]);
    for (const kind of kinds) cluster.setState(kind, { kind: "live", problem: undefined });
    expect(cluster.registry.catalog.value).toBe(before);
    expect(cluster.registry.health.value).toMatchObject({ state: "LIVE", problems: [] });
    expect([...new Set(states)]).toEqual(["OUTAGE", "LIVE"]);
  });

  describe("pods were replaced during an outage", () => {
    const [before, after] = ["old", "new"].map((name) => ({
      Pod: [pod(name)],
      EndpointSlice: [slice("reviews-1", [endpoint(name, "10.0.0.1")])],
    }));
    const lostBoth = () => {
      const cluster = createFakeCluster();
      cluster.apply(service("reviews"), ...(before?.Pod ?? []), ...(before?.EndpointSlice ?? []));
      for (const kind of ["Pod", "EndpointSlice"]) cluster.setState(kind, { kind: "lost", problem });
      const seen: string[] = [];
      cluster.registry.catalog.subscribe(() =>
        seen.push(
          cluster
            .instances("reviews")
            .map(({ id }) => id)
            .join(),
        ),
      );
      const back = (kind: "Pod" | "EndpointSlice"): void => {
        cluster.relist(kind, after?.[kind] ?? []);
        cluster.setState(kind, { kind: "live", problem: undefined });
      };
      return { cluster, seen, back };
    };

    test.each([
      ["Pod", "EndpointSlice"],
      ["EndpointSlice", "Pod"],
    ] as const)("60: %s is back before %s: both are taken together", (first, second) => {
      const { cluster, seen, back } = lostBoth();
      back(first);
      cluster.clock.advance(30_000);
      expect(seen).toEqual([]);
      back(second);
      expect(seen).toEqual(["new"]);
      expect(cluster.registry.health.value.state).toBe("LIVE");
      cluster.clock.advance(3_600_000);
      expect(cluster.clock.pending()).toBe(0);
    });

    test("60: who does not come back is waited for a minute", () => {
      const { cluster, seen, back } = lostBoth();
      back("EndpointSlice");
      cluster.clock.advance(60_000);
      expect(seen).toEqual([""]);
      back("Pod");
      expect(seen).toEqual(["", "new"]);
    });
  });

  test("there is no catalog before all kinds are complete", () => {
    const cluster = createFakeCluster({ starting: true });
    for (const kind of kinds) {
      expect(cluster.registry.catalog.value).toBeUndefined();
      expect(cluster.registry.health.value).toMatchObject({ state: "INITIAL", problems: [] });
      cluster.relist(kind, kind === "Service" ? [service("reviews")] : []);
    }
    expect(cluster.registry.catalog.value?.services.size).toBe(1);
    expect(cluster.registry.health.value).toMatchObject({ state: "LIVE" });
  });

  test("a kind that the server does not know counts as empty", () => {
    const cluster = createFakeCluster({ starting: true });
    for (const kind of kinds) {
      if (kind === "EndpointSlice") cluster.setState(kind, { kind: "absent" });
      else cluster.relist(kind, kind === "Service" ? [service("reviews")] : []);
    }
    expect(cluster.registry.catalog.value?.services.size).toBe(1);
  });

  test("what keeps only the nodes from us delays a start for some seconds and no more; they are taken when they come", () => {
    const cluster = createFakeCluster({ starting: true });
    cluster.setState("Node", { problem });
    for (const [kind, objects] of Map.groupBy(mesh, (one) => one.kind)) cluster.relist(kind, objects);
    cluster.relist("Namespace", []);
    expect(cluster.registry.catalog.value).toBeUndefined();
    expect(cluster.problems()).toEqual(["Nodes: 403 Forbidden"]);
    cluster.clock.advance(5_000);
    expect(cluster.instances("reviews")).toMatchObject([{ id: "r-1", locality: { region: "", zone: "" } }]);
    expect(cluster.registry.health.value.state).toBe("LIVE");
    expect(cluster.problems()).toEqual(["Nodes: 403 Forbidden"]);
    cluster.setState("Node", { kind: "live", problem: undefined });
    cluster.relist("Node", [node("node-a", { "topology.kubernetes.io/zone": "z1" })]);
    expect(cluster.instances("reviews")).toMatchObject([{ locality: { zone: "z1" } }]);
    expect(cluster.problems()).toEqual([]);
  });

  test("one kind that is lost is an outage, and the others are still followed; nodes alone are none", () => {
    const cluster = createFakeCluster();
    cluster.apply(...mesh);
    cluster.setState("Pod", { kind: "lost", problem });
    expect(cluster.registry.health.value.state).toBe("OUTAGE");
    cluster.apply(slice("reviews-1", [endpoint("r-1", "10.0.0.1", { ready: false })]));
    expect(cluster.instances("reviews")).toMatchObject([{ health: "unhealthy" }]);
    cluster.setState("Pod", { kind: "live", problem: undefined });
    cluster.setState("Node", { kind: "lost", problem });
    expect(cluster.registry.health.value).toMatchObject({
      state: "LIVE",
      problems: [{ message: "Nodes: 403 Forbidden", hint: problem.hint }],
    });
  });

  test("closed, it is silent, leaves no timer and has closed all that it watched", async () => {
    const cluster = createFakeCluster();
    cluster.apply(...mesh);
    const before = cluster.registry.catalog.value;
    await cluster.registry.close();
    cluster.apply(service("ratings"));
    expect(cluster.registry.catalog.value).toBe(before);
    expect(cluster.clock.pending()).toBe(0);
    expect(cluster.closed()).toHaveLength(5);
  });
});
