import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shareUnchanged } from "../../../src/base/share.ts";
import type { KubeResource } from "../../../src/kube/reflector.ts";
import type { Catalog } from "../../../src/model/catalog.ts";
import { followObjects } from "../../../src/registry/kubernetes/follow-objects.ts";
import { namespaces } from "../../../src/registry/kubernetes/namespace.ts";
import { nodes } from "../../../src/registry/kubernetes/node.ts";
import {
  type Kind,
  type KubeObjects,
  kinds,
  noObjects,
  type ObjectsOf,
} from "../../../src/registry/kubernetes/objects.ts";
import { pods } from "../../../src/registry/kubernetes/pod.ts";
import { services } from "../../../src/registry/kubernetes/service.ts";
import { slices } from "../../../src/registry/kubernetes/slice.ts";
import { createConcern } from "../../../src/registry/kubernetes/touched-services.ts";
import { address, keyOf, type Manifest, namespace, node, pod, service, slice } from "./manifests.ts";

const spaces = ["shop", "test"] as const;
const names = ["a", "b", "c"] as const;

const space = fc.constantFrom(...spaces);
const name = fc.constantFrom(...names);
const maybe = <T>(value: T) => fc.constantFrom(undefined, value);

const anyNamespace = fc
  .record({ name: space, mesh: maybe("on"), distribution: fc.constantFrom(undefined, "PreferClose", "nonsense") })
  .map(({ name: own, mesh, distribution }) =>
    namespace(own, {
      labels: { ...(mesh && { mesh }) },
      annotations: { ...(distribution && { "networking.istio.io/traffic-distribution": distribution }) },
    }),
  );

const portList = fc.constantFrom(
  [{ name: "http", port: 80 }],
  [
    { name: "http", port: 80 },
    { name: "tcp", port: 81 },
  ],
  [{ name: "http", port: 0 }],
);

const anyService = fc
  .record({
    name,
    namespace: space,
    clusterIP: fc.constantFrom("10.96.0.1", "fd00::1", "None"),
    ports: portList,
    alias: fc.boolean(),
    publishNotReadyAddresses: fc.boolean(),
  })
  .map(({ name: own, namespace: there, alias, ...spec }) =>
    service(
      own,
      alias ? { type: "ExternalName", externalName: "a.example.com" } : { ...spec, clusterIPs: [spec.clusterIP] },
      { namespace: there },
    ),
  );

const anyEndpoint = fc
  .record({
    last: fc.integer({ min: 1, max: 3 }),
    pod: fc.option(name, { nil: undefined }),
    uid: fc.constantFrom("1", "1", "2"),
    node: fc.option(name, { nil: undefined }),
    zone: maybe("z9"),
    state: fc.constantFrom(
      { ready: true },
      { ready: true },
      { ready: false },
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: false, terminating: true },
    ),
  })
  .map(({ last, pod: target, uid, node: nodeName, zone, state }) => ({
    last,
    said: { nodeName, zone, ...state, ...(target && { targetRef: { kind: "Pod", name: target, uid } }) },
  }));

const anySlice = fc
  .record({
    name,
    namespace: space,
    service: name,
    isIpv6: fc.boolean(),
    ports: portList,
    endpoints: fc.array(anyEndpoint, { maxLength: 4 }),
  })
  .map(({ name: own, namespace: there, service: of, isIpv6, ports, endpoints }) =>
    slice(
      own,
      endpoints.map(({ last, said }) => address(`${isIpv6 ? "fd00::" : "10.0.0."}${last}`, said)),
      {
        metadata: { namespace: there, labels: { "kubernetes.io/service-name": of } },
        addressType: isIpv6 ? "IPv6" : "IPv4",
        ports,
      },
    ),
  );

const anyPod = fc
  .record({
    name,
    namespace: space,
    uid: fc.constantFrom("1", "1", "2"),
    version: fc.constantFrom("v1", "v2"),
    nodeName: name,
    phase: fc.constantFrom("Running", "Running", "Failed"),
  })
  .map(({ name: own, namespace: there, uid, version, nodeName, phase }) =>
    pod(own, { metadata: { namespace: there, uid, labels: { version } }, spec: { nodeName }, status: { phase } }),
  );

const anyNode = fc
  .record({ name, zone: fc.constantFrom("z1", "z2", undefined) })
  .map(({ name: own, zone }) => node(own, { ...(zone && { "topology.kubernetes.io/zone": zone }) }));

const anyObject = fc.oneof(
  { weight: 1, arbitrary: anyNamespace },
  { weight: 2, arbitrary: anyService },
  { weight: 4, arbitrary: anySlice },
  { weight: 3, arbitrary: anyPod },
  { weight: 1, arbitrary: anyNode },
);

/** Objects that are created, changed or deleted at once. */
const anyStep = fc.array(fc.record({ object: anyObject, isThere: fc.constantFrom(true, true, true, false) }), {
  minLength: 1,
  maxLength: 6,
});

const selector = [{ kind: "exists", label: "mesh" }] as const;

const resources = (isSelective: boolean) => ({
  namespaces: namespaces(isSelective ? [selector] : []),
  services: services({ registry: "kubernetes", domain: "cluster.local" }),
  slices,
  pods,
  nodes,
});

const kindOf: Readonly<Record<string, Kind>> = {
  Namespace: "namespaces",
  Service: "services",
  EndpointSlice: "slices",
  Pod: "pods",
  Node: "nodes",
};

interface Change {
  readonly object: Manifest;
  readonly isThere: boolean;
}

/** As a Reflector does it: equal projections keep their identity. */
function stepped(objects: KubeObjects, of: ReturnType<typeof resources>, changes: readonly Change[]): KubeObjects {
  let next = objects;
  for (const { object, isThere } of changes) {
    const kind = kindOf[object.kind] ?? "services";
    const key = keyOf(object);
    const resource: KubeResource<object> = of[kind];
    const before = next[kind] as ObjectsOf<object>;
    const projected = isThere ? resource.project(object) : undefined;
    const kept = shareUnchanged(before.get(key), projected) as { readonly problems: readonly [] } | undefined;
    next = { ...next, [kind]: before.with([[key, kept]]) };
  }
  return next;
}

const plain = ({ services: all, instances }: Catalog) => ({ services: [...all], instances: [...instances] });

/** Where something equal was there before, it is that very object. */
function keepsIdentities(before: Catalog, after: Catalog): boolean {
  const same = (old: unknown, present: unknown) => old === present || !isDeepStrictEqual(old, present);
  return (
    (before === after) === isDeepStrictEqual(plain(before), plain(after)) &&
    [...after.services].every(([key, one]) => same(before.services.get(key), one)) &&
    [...after.instances].every(([key, list]) => {
      const old = before.instances.get(key) ?? [];
      return (
        same(old, list) && list.every((instance) => old.every((one) => one.id !== instance.id || same(one, instance)))
      );
    })
  );
}

test("10,000 sequences of changes: the catalog that follows is the one made afresh, and what is equal stays the same object", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 5 }), fc.boolean(), (steps, isSelective) => {
      const of = resources(isSelective);
      const options = { waitsForNamespaces: isSelective };
      const follow = followObjects(options);
      let objects = noObjects;
      let before = follow(objects);
      for (const step of steps) {
        objects = stepped(objects, of, step);
        const after = follow(objects);
        const afresh = followObjects(options)(objects);
        // Vitest's own comparison is slow, and good to read where the two differ.
        if (!isDeepStrictEqual(plain(after), plain(afresh))) expect(plain(after)).toEqual(plain(afresh));
        expect(keepsIdentities(before, after)).toBe(true);
        for (const list of after.instances.values()) expect(new Set(list.map(({ id }) => id)).size).toBe(list.length);
        before = after;
      }
    }),
    { numRuns: 10_000 },
  );
}, 120_000);

test("whoever is gone is forgotten", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 5 }), (steps) => {
      const concern = createConcern();
      let objects = noObjects;
      for (const step of [...steps, []]) {
        const next = step.length > 0 ? stepped(objects, resources(false), step) : noObjects;
        concern.touched(objects, next);
        objects = next;
      }
      expect(concern.size()).toBe(0);
      expect(kinds.every((kind) => objects[kind].size === 0)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
