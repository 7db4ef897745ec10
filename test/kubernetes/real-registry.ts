import { isDeepStrictEqual } from "node:util";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics } from "../../src/base/metrics.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { createReflector } from "../../src/kube/create-reflector.ts";
import { createKubeConfigAccess } from "../../src/kube/kube-config.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import type { ReflectorTimes } from "../../src/kube/times.ts";
import type { Catalog } from "../../src/model/catalog.ts";
import type { LabelSelector } from "../../src/model/label-selector.ts";
import { createKubernetesRegistry } from "../../src/registry/kubernetes/kubernetes-registry.ts";
import type { RegistrySource } from "../../src/registry/source.ts";
import { createFakeCluster } from "../registry/kubernetes/fake-cluster.ts";
import type { Manifest } from "../registry/kubernetes/manifests.ts";
import type { Cleanup } from "../support/envoy.ts";
import type { KubeApi } from "../support/kube-api.ts";
import { waitFor } from "../support/wait-for.ts";

export interface RealRegistryOptions {
  /** The path of a file. */
  readonly kubeconfig: string;
  readonly cleanup: Cleanup;
  readonly times?: Partial<ReflectorTimes>;
  readonly discoverySelectors?: readonly LabelSelector[];
}

const clock = systemClock;
const log = createLog({ level: "silent", format: "json", write: () => {} });

/** As a control plane has it. */
export function createTestClient({ kubeconfig, cleanup }: Pick<RealRegistryOptions, "kubeconfig" | "cleanup">) {
  const access = createKubeConfigAccess({ source: { kind: "file", file: kubeconfig }, clock, log });
  const client = createKubeClient({ access, clock, userAgent: "fairway/test" });
  cleanup(async () => client.close());
  return client;
}

/** The registry of a real API server, as a control plane has it. */
export function startKubernetesRegistry(options: RealRegistryOptions): RegistrySource {
  const { cleanup, times, discoverySelectors = [] } = options;
  const metrics = createKubeMetrics(createMetrics());
  const client = createTestClient(options);
  const registry = createKubernetesRegistry({
    domain: "cluster.local",
    discoverySelectors,
    clock,
    reflect: (resource) =>
      createReflector({
        ...{ client, resource, clock, log, metrics: metrics("kubernetes", resource.plural) },
        ...(times && { times }),
      }),
  });
  cleanup(() => registry.close());
  return registry;
}

const paths = [
  "/api/v1/namespaces",
  "/api/v1/services",
  "/apis/discovery.k8s.io/v1/endpointslices",
  "/api/v1/pods",
  "/api/v1/nodes",
];

/** The catalog of what the server has now, made afresh. */
export async function catalogOfServer(api: KubeApi): Promise<Catalog | undefined> {
  const lists = await Promise.all(paths.map((path) => api.list(path)));
  const cluster = createFakeCluster();
  cluster.applyTogether(lists.flatMap(({ items }) => items as readonly object[] as readonly Manifest[]));
  return cluster.registry.catalog.value;
}

/** Service by service and instance by instance, until both sides are quiet. */
export const becomesEqual = (registry: RegistrySource, api: KubeApi): Promise<unknown> =>
  waitFor(async () => isDeepStrictEqual(plain(registry.catalog.value), plain(await catalogOfServer(api))), {
    what: "a catalog that equals the server's objects",
  });

const plain = (catalog: Catalog | undefined) =>
  catalog && { services: [...catalog.services], instances: [...catalog.instances] };
