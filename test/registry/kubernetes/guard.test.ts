import { expect, test } from "vitest";
import { createLog } from "../../../src/base/log.ts";
import { guardRegistry } from "../../../src/registry/guard/guarded.ts";
import { createFakeCluster } from "./fake-cluster.ts";
import { type EndpointOptions, endpoint, type Manifest, pod, service, slice } from "./manifests.ts";

/* What of a cluster's objects is believed at once, and what is not. */

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `r-${i}`);

const terminating: EndpointOptions = { ready: false, serving: true, terminating: true };
const failing: EndpointOptions = { ready: false };

/** The pods of `reviews`, all that there are, and how some of them are. */
const sliceOf = (pods: readonly string[], some: readonly string[] = [], how: EndpointOptions = {}): Manifest =>
  slice(
    "reviews-1",
    pods.map((id) => endpoint(id, `10.0.0.${Number(id.slice(2)) + 1}`, some.includes(id) ? how : {})),
  );

function lab(count: number) {
  const cluster = createFakeCluster();
  const { clock } = cluster;
  cluster.applyTogether([service("reviews"), ...ids(count).map((id) => pod(id)), sliceOf(ids(count))]);
  const registry = guardRegistry(cluster.registry, {
    ...{ clock, log: createLog({ level: "silent", format: "json", write: () => {} }) },
    policy: { holdMs: 60_000, maxShrink: 0.3, isTrusted: () => false },
  });
  const told = (health: string) =>
    [...(registry.catalog.value?.instances.values() ?? [])]
      .flat()
      .filter((each) => each.health === health)
      .map(({ id }) => id);
  return { cluster, clock, served: () => told("healthy"), told, state: () => registry.health.value.state };
}

test("pods that terminate are gone at once, were it all of them", () => {
  const { cluster, served, state, told } = lab(10);
  cluster.apply(sliceOf(ids(10), ids(10), terminating));
  expect([served(), told("draining")]).toEqual([[], ids(10)]);
  cluster.apply(sliceOf([]));
  expect([told("draining"), state()]).toEqual([[], "LIVE"]);
});

test("a pod that is not ready gets nothing at once, were it the only one; and it may go", () => {
  const { cluster, served, state } = lab(1);
  cluster.apply(sliceOf(ids(1), ids(1), failing));
  expect([served(), state()]).toEqual([[], "LIVE"]);
  cluster.apply(sliceOf([]));
  expect(state()).toBe("LIVE");
});

test("an outage after which a tenth is left: the others are served for a minute from the moment on at which it is back", () => {
  const { cluster, clock, served, state } = lab(10);
  cluster.setState("EndpointSlice", { kind: "lost", problem: { message: "No contact.", hint: "Wait." } });
  expect(state()).toBe("OUTAGE");
  clock.advance(3_600_000);
  cluster.relist("EndpointSlice", [sliceOf(["r-3"])]);
  cluster.setState("EndpointSlice", { kind: "live", problem: undefined });
  expect([served(), state()]).toEqual([ids(10), "SUSPECT"]);
  clock.advance(58_000);
  expect(served()).toEqual(ids(10));
  clock.advance(2_000);
  expect([served(), state()]).toEqual([["r-3"], "LIVE"]);
});

test("pods that are not ready get nothing at once, however many", () => {
  const { cluster, served, state } = lab(10);
  cluster.apply(sliceOf(ids(10), ids(7), failing));
  expect([served(), state()]).toEqual([ids(10).slice(7), "LIVE"]);
});

test("a Service that somebody deletes is gone at once, and so is one that was held", () => {
  const { cluster, served, state } = lab(2);
  cluster.apply(sliceOf([]));
  expect([served(), state()]).toEqual([ids(2), "SUSPECT"]);
  cluster.remove(service("reviews"));
  expect([served(), state()]).toEqual([[], "LIVE"]);
});

test("Services that a server forgot are served for a minute, but for those whose address another one has now", () => {
  const { cluster, served, state } = lab(10);
  cluster.relist("Service", []);
  expect([served(), state()]).toEqual([ids(10), "SUSPECT"]);
  cluster.apply(service("ratings"));
  expect([served(), state()]).toEqual([[], "LIVE"]);
});
