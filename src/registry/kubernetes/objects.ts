import { OrderedMap } from "../../base/ordered-map.ts";
import type { KubeNamespace } from "./namespace.ts";
import type { KubeNode } from "./node.ts";
import type { KubePod } from "./pod.ts";
import type { Projected } from "./projected.ts";
import type { KubeService } from "./service.ts";
import type { KubeSlice } from "./slice.ts";

/** The kinds of objects that make a catalog. */
export interface Kinds {
  readonly namespaces: KubeNamespace;
  readonly services: KubeService;
  readonly slices: KubeSlice;
  readonly pods: KubePod;
  readonly nodes: KubeNode;
}

export type Kind = keyof Kinds;

export type ObjectsOf<T extends object> = OrderedMap<string, Projected<T>>;

/** All objects at one time, by `namespace/name`, or `name` of what has no namespace. */
export type KubeObjects = { readonly [K in Kind]: ObjectsOf<Kinds[K]> };

const none = OrderedMap.of<string, never>();

export const noObjects: KubeObjects = { namespaces: none, services: none, slices: none, pods: none, nodes: none };

export const kinds = Object.keys(noObjects) as readonly Kind[];
