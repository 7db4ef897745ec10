import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { TestContext } from "vitest";
import type { Query } from "../../src/kube/client.ts";
import { parseLabelSelector } from "../../src/model/label-selector.ts";
import type { RegistrySource } from "../../src/registry/source.ts";
import { describeRegistry, type RegistryLab, type Truth, type TruthInstance } from "../registry/conformance.ts";
import { endpoint, type Manifest, namespace, node, pod, service, slice } from "../registry/kubernetes/manifests.ts";
import { type KubeObject, pathOf } from "../support/kube-api.ts";
import { sharedKubernetes } from "../support/kube-shared.ts";
import { createCleaner } from "../support/with-cleanup.ts";
import { createTestClient, startKubernetesRegistry } from "./real-registry.ts";

/* The list of every adapter, against a real API server. Nobody runs the pods: the lab writes the slices by itself. */

const kubernetes = sharedKubernetes({
  // Otherwise pods get labels of their nodes, which are not in the truth.
  apiServerFlags: { "disable-admission-plugins": "ServiceAccount,PodTopologyLabels" },
});

const conditions: Readonly<Record<TruthInstance["health"], object>> = {
  healthy: { ready: true },
  unhealthy: { ready: false },
  draining: { ready: false, serving: true, terminating: true },
};

const nodeAt = (locality: string): string => `node-${locality.replaceAll("/", "-")}`;

/** The objects that make it true, each in front of those that name it. */
function objectsOf(truth: Truth): readonly Manifest[] {
  return Object.entries(truth).flatMap(([host, { ports, instances }]) => {
    const [name = ""] = host.split(".");
    const all = Object.entries(instances);
    const places = new Set(all.map(([, { locality }]) => locality));
    const numbers = Map.groupBy(all, ([, one]) => JSON.stringify(numbersOf(ports, one)));
    return [
      ...[...places].map((locality) => {
        const [region = "", zone = "", subzone = ""] = locality.split("/");
        return node(nodeAt(locality), {
          "topology.kubernetes.io/region": region,
          "topology.kubernetes.io/zone": zone,
          "topology.istio.io/subzone": subzone,
        });
      }),
      service(name, {
        clusterIP: undefined,
        ports: Object.entries(ports).map(([port, { number }]) => ({ name: port, port: number })),
      }),
      ...all.map(([id, { labels, locality }]) =>
        pod(id, { metadata: { labels }, spec: { nodeName: nodeAt(locality) } }),
      ),
      ...[...numbers].map(([text, group], index) =>
        slice(
          `${name}-${index}`,
          group.map(([id, { address, locality, health }]) =>
            endpoint(id, address, {
              conditions: conditions[health],
              nodeName: nodeAt(locality),
              targetRef: { kind: "Pod", name: id, namespace: "shop" },
            }),
          ),
          { ports: Object.entries(JSON.parse(text)).map(([port, number]) => ({ name: port, port: number })) },
        ),
      ),
    ];
  });
}

const numbersOf = (ports: Truth[string]["ports"], one: TruthInstance) =>
  Object.fromEntries(Object.entries(ports).map(([name, { number }]) => [name, one.ports[name] ?? number]));

/** What is asked at a time. */
const atOnce = 16;

async function forEach<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await task(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const idOf = ({ kind, metadata: { name } }: Manifest): string => `${kind} ${name}`;

/** The server gives the uids. */
const sent = ({ metadata: { uid: _, ...metadata }, ...rest }: Manifest): KubeObject =>
  ({ ...rest, metadata }) as KubeObject;

/** Kinds in front of those that name them. */
const order = ["Node", "Service", "Pod", "EndpointSlice"];

/** The server has a service of its own in another namespace. */
const selector = parseLabelSelector("mesh=on") ?? [];
let shop: Promise<unknown> | undefined;

/** Taken by the server, and of no use. */
const broken = slice("broken-1", [{ addresses: ["a.example.com"] }], { addressType: "FQDN" });

const collections = [
  ...["services", "pods"].map((plural) => `/api/v1/namespaces/shop/${plural}`),
  "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices",
  "/api/v1/nodes",
];
const atOnceGone = { gracePeriodSeconds: "0" };

const times = { minPauseMs: 50, maxPauseMs: 500 };

async function createKubernetesLab(context: Pick<TestContext, "skip">): Promise<RegistryLab> {
  const { apiServer, kubeconfig } = await kubernetes(context);
  const { cleanup, clean } = createCleaner();
  const onEnd = createCleaner();
  // One that keeps its connections: a thousand pods are two thousand requests.
  const client = createTestClient({ kubeconfig: kubeconfig(), cleanup: onEnd.cleanup });
  let written: ReadonlyMap<string, Manifest> = new Map();

  const ask = (method: "POST" | "PUT" | "DELETE", object: Manifest, query: Query = {}): Promise<unknown> => {
    const body = sent(object);
    const path = method === "POST" ? dirname(pathOf(body)) : pathOf(body);
    return client.send({ method, path, query, ...(method !== "DELETE" && { body }) });
  };
  const create = (object: Manifest) => ask("POST", object);
  const replace = (object: Manifest) => ask("PUT", object);
  const remove = (object: Manifest) => ask("DELETE", object, atOnceGone);

  const change = async (before: Manifest, after: Manifest): Promise<void> => {
    if (after.kind === "EndpointSlice") await replace(after);
    const placeOf = ({ spec }: Manifest) => (spec as { readonly nodeName?: string }).nodeName;
    if (after.kind !== "Pod") return;
    if (placeOf(before) === placeOf(after)) {
      await replace(after);
      return;
    }
    await remove(before);
    await create(after);
  };
  const write = async (objects: readonly Manifest[]): Promise<void> => {
    const wanted = new Map(objects.map((object) => [idOf(object), object]));
    for (const kind of order) {
      await forEach(
        [...wanted.values()].filter((object) => object.kind === kind),
        async (object) => {
          const before = written.get(idOf(object));
          if (before === undefined) await create(object);
          else if (!isDeepStrictEqual(before, object)) await change(before, object);
        },
      );
    }
    for (const kind of order.toReversed()) {
      const gone = [...written.values()].filter((object) => object.kind === kind && !wanted.has(idOf(object)));
      await forEach(gone, remove);
    }
    written = wanted;
  };

  const open = (): RegistrySource =>
    startKubernetesRegistry({ kubeconfig: kubeconfig(), cleanup, times, discoverySelectors: [selector] });
  shop ??= create(namespace("shop", { labels: { mesh: "on" } }));
  await shop;
  let source = open();
  return {
    source: () => source,
    publish: (truth) => write(objectsOf(truth)),
    publishBroken: (truth) => write([...objectsOf(truth), broken]),
    stop: () => apiServer.kill(),
    start: () => apiServer.start(),
    restartSource: async () => {
      await source.close();
      source = open();
    },
    close: async () => {
      await clean();
      // Each kind at once.
      for (const path of collections) await client.send({ method: "DELETE", path, query: atOnceGone });
      await onEnd.clean();
    },
  };
}

describeRegistry("kubernetes", createKubernetesLab, { weights: false });
