import { expect, test } from "vitest";
import { OrderedMap } from "../../../src/base/ordered-map.ts";
import { namespaces } from "../../../src/registry/kubernetes/namespace.ts";
import { nodes } from "../../../src/registry/kubernetes/node.ts";
import type { KubeObjects } from "../../../src/registry/kubernetes/objects.ts";
import { noObjects } from "../../../src/registry/kubernetes/objects.ts";
import { pods } from "../../../src/registry/kubernetes/pod.ts";
import { services } from "../../../src/registry/kubernetes/service.ts";
import { slices } from "../../../src/registry/kubernetes/slice.ts";
import { createConcern } from "../../../src/registry/kubernetes/touched-services.ts";
import { endpoint, keyOf, type Manifest, namespace, node, pod, service, slice } from "./manifests.ts";

const resources = {
  ...{ namespaces: namespaces([]), services: services({ registry: "kubernetes", domain: "cluster.local" }) },
  ...{ slices, pods, nodes },
};

const zoned = (name: string, zone: string) => node(name, { "topology.kubernetes.io/zone": zone });

/** 100 services in two namespaces with a pod each, every tenth on the node `a` and the others on `b`; two slices name the pod of `s0`. */
const names = Array.from({ length: 100 }, (_, index) => `s${index}`);
const spaceOf = (index: number) => (index % 2 === 0 ? "even" : "odd");
const nodeOf = (index: number) => (index % 10 === 0 ? "a" : "b");
const podOf = (index: number, labels = {}) =>
  pod(`p${index}`, { metadata: { namespace: spaceOf(index), labels }, spec: { nodeName: nodeOf(index) } });
const sliceOf = (index: number, ready = true, name = `s${index}-x`, of = index) =>
  slice(
    name,
    [
      endpoint(`p${of}`, `10.0.0.${of}`, {
        ...{ ready, nodeName: nodeOf(of) },
        targetRef: { kind: "Pod", name: `p${of}`, uid: `uid-p${of}` },
      }),
    ],
    { metadata: { namespace: spaceOf(index) } },
  );

function mapOf<T extends object>(
  kind: { readonly project: (object: Manifest) => T | undefined },
  all: readonly Manifest[],
) {
  return OrderedMap.of(
    all.flatMap((one): [string, T][] => {
      const kept = kind.project(one);
      return kept === undefined ? [] : [[keyOf(one), kept]];
    }),
  );
}

const mesh: KubeObjects = {
  namespaces: mapOf(resources.namespaces, [namespace("even"), namespace("odd")]),
  services: mapOf(
    resources.services,
    names.map((name, index) => service(name, {}, { namespace: spaceOf(index) })),
  ),
  slices: mapOf(resources.slices, [...names.map((_, index) => sliceOf(index)), sliceOf(2, true, "s2-y", 0)]),
  pods: mapOf(
    resources.pods,
    names.map((_, index) => podOf(index)),
  ),
  nodes: mapOf(resources.nodes, [zoned("a", "z1"), zoned("b", "z2")]),
};

const changes: readonly (readonly [string, keyof KubeObjects, Manifest, number])[] = [
  ["a pod", "pods", podOf(7, { version: "v2" }), 1],
  ["a pod in slices of two services", "pods", podOf(0, { version: "v2" }), 2],
  ["a slice", "slices", sliceOf(7, false), 1],
  ["a slice that goes to another service", "slices", sliceOf(7, true, "s9-x", 9), 1],
  ["a service", "services", service("s7", { clusterIP: "10.96.0.9" }, { namespace: "odd" }), 1],
  ["a node", "nodes", zoned("a", "z3"), 11],
  [
    "a namespace",
    "namespaces",
    namespace("odd", { annotations: { "networking.istio.io/traffic-distribution": "PreferClose" } }),
    50,
  ],
];

test.each(changes)("a change of %s looks at the services that it concerns", (_, kind, object, count) => {
  const concern = createConcern();
  expect(concern.touched(noObjects, mesh).size).toBe(100);
  expect(concern.touched(mesh, mesh).size).toBe(0);
  const resource: { readonly project: (object: Manifest) => object | undefined } = resources[kind];
  const next = {
    ...mesh,
    [kind]: (mesh[kind] as OrderedMap<string, object>).with([[keyOf(object), resource.project(object)]]),
  };
  expect(concern.touched(mesh, next).size).toBe(count);
});
