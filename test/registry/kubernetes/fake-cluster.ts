import { OrderedMap } from "../../../src/base/ordered-map.ts";
import { shareUnchanged } from "../../../src/base/share.ts";
import { createSignal, type SettableSignal } from "../../../src/base/signal.ts";
import type { KubeObject, KubeResource, Reflector, ReflectorState } from "../../../src/kube/reflector.ts";
import type { Instance } from "../../../src/model/instance.ts";
import { parseLabelSelector, selectsLabels } from "../../../src/model/label-selector.ts";
import type { Labels } from "../../../src/model/labels.ts";
import { type Service, serviceKey } from "../../../src/model/service.ts";
import {
  createKubernetesRegistry,
  type KubernetesRegistryOptions,
} from "../../../src/registry/kubernetes/kubernetes-registry.ts";
import type { RegistrySource } from "../../../src/registry/source.ts";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { host } from "../../support/mesh.ts";
import { keyOf, type Manifest, service as manifestOfService, pod } from "./manifests.ts";

/** A registry whose objects a test gives it. */
export interface FakeCluster {
  readonly registry: RegistrySource;
  readonly clock: FakeClock;
  /** Creates or changes objects, in this order; each is a batch of its own. */
  readonly apply: (...manifests: readonly Manifest[]) => void;
  /** All of these at once, kind by kind. */
  readonly applyTogether: (manifests: readonly Manifest[]) => void;
  /** Gives objects of a kind one by one, and no time passes. */
  readonly feed: (kind: string) => (manifest: Manifest) => void;
  readonly remove: (...manifests: readonly Manifest[]) => void;
  /** What a list says after a gap: the objects of the kind are these and no others. */
  readonly relist: (kind: string, manifests: readonly Manifest[]) => void;
  readonly setState: (kind: string, state: StateChange) => void;
  readonly service: (name: string, namespace?: string) => Service | undefined;
  /** Of a service that is there. */
  readonly serviceThere: (name: string, namespace?: string) => Service;
  readonly instances: (name: string, namespace?: string) => readonly Instance[];
  readonly problems: () => readonly string[];
  /** The resources that are no longer watched. */
  readonly closed: () => readonly string[];
}

interface StateChange {
  readonly kind?: ReflectorState["kind"];
  readonly problem?: ReflectorState["problem"] | undefined;
}

interface Feed {
  readonly resource: KubeResource<object>;
  readonly objects: SettableSignal<OrderedMap<string, object> | undefined>;
  readonly state: SettableSignal<ReflectorState>;
  readonly uids: Map<string, unknown>;
}

export const kindOfPlural: Readonly<Record<string, string>> = {
  namespaces: "Namespace",
  services: "Service",
  endpointslices: "EndpointSlice",
  pods: "Pod",
  nodes: "Node",
};

export interface FakeClusterOptions extends Partial<Omit<KubernetesRegistryOptions, "reflect" | "clock">> {
  /** Nothing is complete yet. */
  readonly starting?: boolean;
}

export function createFakeCluster({ starting = false, ...options }: FakeClusterOptions = {}): FakeCluster {
  const clock = createFakeClock();
  const feeds = new Map<string, Feed>();
  const closed: string[] = [];
  const reflect = <T extends object>(resource: KubeResource<T>): Reflector<T> => {
    const kind = kindOfPlural[resource.plural] ?? "";
    const feed: Feed = {
      resource,
      objects: createSignal<OrderedMap<string, object> | undefined>(starting ? undefined : OrderedMap.of()),
      state: createSignal<ReflectorState>({ kind: starting ? "starting" : "live", sinceMs: clock.now() }),
      uids: new Map(),
    };
    feeds.set(kind, feed);
    const close = async () => {
      closed.push(resource.plural);
    };
    return { objects: feed.objects as Reflector<T>["objects"], state: feed.state, close };
  };
  const registry = createKubernetesRegistry({ domain: "cluster.local", ...options, reflect, clock });
  const feedOf = (kind: string): Feed => feeds.get(kind) ?? fail(`no resource of the kind ${kind}`);

  const keptOf = (feed: Feed, manifest: KubeObject): readonly [string, object | undefined] => {
    const key = keyOf(manifest);
    const { labels, uid } = manifest["metadata"] as { readonly labels?: Labels | null; readonly uid?: string };
    const selector = parseLabelSelector(feed.resource.labelSelector ?? "") ?? [];
    const projected = selectsLabels(selector, labels ?? {}) ? feed.resource.project(manifest) : undefined;
    const isSame = feed.uids.get(key) === uid;
    feed.uids.set(key, uid);
    return [key, isSame ? shareUnchanged(feed.objects.value?.get(key), projected) : projected];
  };
  const setAll = (feed: Feed, entries: readonly (readonly [string, object | undefined])[]): void => {
    feed.objects.set((feed.objects.value ?? OrderedMap.of()).with(entries));
  };
  const settle = () => clock.advance(1_000);
  const key = (name: string, namespace: string) =>
    serviceKey(namespace, host(`${name}.${namespace}.svc.${options.domain ?? "cluster.local"}`));

  const service = (name: string, namespace = "shop") => registry.catalog.value?.services.get(key(name, namespace));
  const applyTogether = (manifests: readonly Manifest[]): void => {
    for (const [kind, same] of Map.groupBy(manifests, (one) => one.kind)) {
      const feed = feedOf(kind);
      setAll(
        feed,
        same.map((one) => keptOf(feed, one)),
      );
    }
    settle();
  };
  return {
    registry,
    clock,
    apply: (...manifests) => {
      for (const one of manifests) applyTogether([one]);
    },
    applyTogether,
    feed: (kind) => (manifest) => setAll(feedOf(kind), [keptOf(feedOf(kind), manifest)]),
    remove: (...manifests) => {
      for (const one of manifests) setAll(feedOf(one.kind), [[keyOf(one), undefined]]);
      settle();
    },
    relist: (kind, manifests) => {
      const feed = feedOf(kind);
      const next = OrderedMap.of(
        manifests.map((one) => keptOf(feed, one)).filter((entry): entry is [string, object] => entry[1] !== undefined),
      );
      const old = feed.objects.value ?? OrderedMap.of();
      feed.objects.set(old.with(old.changesTo(next).map((change) => [change.key, change.after])));
      settle();
    },
    setState: (kind, state) => {
      const feed = feedOf(kind);
      const { problem, ...rest } = { ...feed.state.value, ...state };
      feed.state.set({ ...rest, ...(problem && { problem }) });
      settle();
    },
    service,
    serviceThere: (name, namespace) => service(name, namespace) ?? fail(`no service ${name}`),
    instances: (name, namespace = "shop") => registry.catalog.value?.instances.get(key(name, namespace)) ?? [],
    problems: () => registry.health.value.problems.map(({ message }) => message),
    closed: () => closed,
  };
}

/** A cluster with the service `reviews`, the pods `r-1` to `r-3`, and these. */
export function clusterWith(...objects: readonly Manifest[]): FakeCluster {
  const cluster = createFakeCluster();
  cluster.apply(manifestOfService("reviews"), pod("r-1"), pod("r-2"), pod("r-3"), ...objects);
  return cluster;
}

/** Of `reviews`: address and health by id. */
export const told = (cluster: FakeCluster) =>
  Object.fromEntries(cluster.instances("reviews").map(({ id, address: at, health }) => [id, `${at} ${health}`]));

/** The service that the first of these objects is, in a cluster of them. */
export function serviceOf(...manifests: readonly Manifest[]): Service {
  const cluster = createFakeCluster();
  cluster.apply(...manifests);
  const [first] = manifests;
  return cluster.serviceThere(first?.metadata.name ?? "", first?.metadata.namespace);
}

function fail(message: string): never {
  throw new Error(message);
}
