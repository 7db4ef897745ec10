import type { Clock } from "../../base/clock.ts";
import { OrderedMap } from "../../base/ordered-map.ts";
import { shareUnchanged } from "../../base/share.ts";
import { createSignal, gather } from "../../base/signal.ts";
import type { KubeResource, Reflector } from "../../kube/reflector.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { LabelSelector } from "../../model/label-selector.ts";
import { boundedProblems } from "../problems.ts";
import type { RegistryHealth, RegistryProblem, RegistrySource, RegistryState } from "../source.ts";
import { followObjects } from "./follow-objects.ts";
import { watchHeldBack } from "./held-back.ts";
import { namespaces } from "./namespace.ts";
import { nodes } from "./node.ts";
import { followProblems } from "./object-problems.ts";
import { type Kind, type Kinds, type KubeObjects, kinds, type ObjectsOf } from "./objects.ts";
import { pods } from "./pod.ts";
import { keepPodsWithSlices } from "./pods-with-slices.ts";
import type { Projected } from "./projected.ts";
import { services } from "./service.ts";
import { slices } from "./slice.ts";

export interface KubernetesRegistryOptions {
  readonly name?: string;
  /** The cluster's domain, for example `cluster.local`. */
  readonly domain: string;
  /** Only namespaces that one of these selects are looked at; none: all. */
  readonly discoverySelectors?: readonly LabelSelector[];
  /** Keeps the objects of a resource equal to the server's. The registry closes what it has asked for. */
  readonly reflect: <T extends object>(resource: KubeResource<T>) => Reflector<T>;
  readonly clock: Clock;
}

type Reflectors = { readonly [K in Kind]: Reflector<Projected<Kinds[K]>> };

/** What several kinds tell within this time is one catalog. Each kind has gathered its own events before, and whoever reads gathers again. */
const pauses = { minPauseMs: 5, maxPauseMs: 20 };

/** How long a start waits for the nodes when the server keeps them from us. */
const nodesGraceMs = 5_000;

/**
 * The registry `kubernetes`: Services with what EndpointSlices, Pods, Nodes and Namespaces say of them. It has a catalog once it knows
 * all objects of all kinds. While one of them is out of contact the state is OUTAGE, and what is still told is taken. Nodes say no more
 * than where something runs: it goes on without them.
 */
export function createKubernetesRegistry(options: KubernetesRegistryOptions): RegistrySource {
  const { name = "kubernetes", domain, discoverySelectors = [], reflect, clock } = options;
  const reflectors: Reflectors = {
    namespaces: reflect(namespaces(discoverySelectors)),
    services: reflect(services({ registry: name, domain })),
    slices: reflect(slices),
    pods: reflect(pods),
    nodes: reflect(nodes),
  };
  const catalog = createSignal<Catalog | undefined>(undefined);
  const health = createSignal<RegistryHealth>({ state: "INITIAL", since: clock.now(), problems: [] });
  const catalogOf = followObjects({ waitsForNamespaces: discoverySelectors.length > 0 });
  const problemsOf = followProblems();
  let goesWithoutNodes = false;
  let cancelGrace: (() => void) | undefined;

  const refresh = (): void => {
    const known = objectsOf(reflectors, goesWithoutNodes);
    const objects = known && together.follow(known, (kind) => reflectors[kind].state.value.kind === "lost");
    if (objects !== undefined) catalog.set(catalogOf(objects));
    const told = [...contactProblems(reflectors), ...(objects ? problemsOf(objects) : []), ...heldBack.problems()];
    const state = stateOf(reflectors, catalog.value !== undefined);
    const since = state === health.value.state ? health.value.since : clock.now();
    health.set(shareUnchanged(health.value, { state, since, problems: boundedProblems(told) }));
    if (objects === undefined && cancelGrace === undefined && reflectors.nodes.state.value.problem !== undefined) {
      cancelGrace = clock.after(nodesGraceMs, () => {
        goesWithoutNodes = true;
        gathering.trigger();
      });
    }
  };

  const gathering = gather(refresh, { clock, ...pauses });
  const together = keepPodsWithSlices({ onLate: gathering.trigger, clock });
  const heldBack = watchHeldBack({
    objects: () => objectsOf(reflectors, goesWithoutNodes),
    onTold: gathering.trigger,
    clock,
  });
  const stops = [
    ...kinds.flatMap((kind) => [
      reflectors[kind].objects.subscribe(gathering.trigger),
      reflectors[kind].state.subscribe(gathering.trigger),
    ]),
    ...(["slices", "pods"] as const).map((kind) => reflectors[kind].objects.subscribe(heldBack.touch)),
  ];
  gathering.trigger();
  heldBack.touch();
  return {
    name,
    catalog,
    health,
    close: async () => {
      for (const stop of stops) stop();
      cancelGrace?.();
      heldBack.close();
      together.close();
      gathering.close();
      await Promise.all(kinds.map((kind) => reflectors[kind].close()));
    },
  };
}

/** All objects; undefined while one kind is not complete. */
function objectsOf(reflectors: Reflectors, goesWithoutNodes: boolean): KubeObjects | undefined {
  const of = <K extends Kind>(kind: K): ObjectsOf<Kinds[K]> | undefined => {
    const { objects, state } = reflectors[kind];
    const mayLack = state.value.kind === "absent" || (kind === "nodes" && goesWithoutNodes);
    return objects.value ?? (mayLack ? OrderedMap.of() : undefined);
  };
  const all = {
    namespaces: of("namespaces"),
    services: of("services"),
    slices: of("slices"),
    pods: of("pods"),
    nodes: of("nodes"),
  };
  return Object.values(all).includes(undefined) ? undefined : (all as KubeObjects);
}

function stateOf(reflectors: Reflectors, hasCatalog: boolean): RegistryState {
  if (!hasCatalog) return "INITIAL";
  const isLost = kinds.some((kind) => kind !== "nodes" && reflectors[kind].state.value.kind === "lost");
  return isLost ? "OUTAGE" : "LIVE";
}

const contactProblems = (reflectors: Reflectors): readonly RegistryProblem[] =>
  kinds.flatMap((kind) => {
    const { problem } = reflectors[kind].state.value;
    return problem === undefined ? [] : [{ message: `${labels[kind]}: ${problem.message}`, hint: problem.hint }];
  });

/** As the API server's users know the kinds. */
const labels: Readonly<Record<Kind, string>> = {
  namespaces: "Namespaces",
  services: "Services",
  slices: "EndpointSlices",
  pods: "Pods",
  nodes: "Nodes",
};
