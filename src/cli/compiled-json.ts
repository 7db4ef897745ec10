import { bytesJson } from "../envoy/pack.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { resourceType, type TypeName } from "../envoy/resource-types.ts";

/** The lists of what `compile` prints, and the resource type in each. */
export const outputLists = {
  listeners: "LDS",
  clusters: "CDS",
  routes: "RDS",
  endpoints: "EDS",
} as const satisfies Record<string, TypeName>;

/** All resources by list, each list in the order of the names; proto JSON, with `@type`. */
export function resourcesJson({ resources }: ResourceSet): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    Object.entries(outputLists).map(([list, type]) => [list, [...resources[type].values()].map(resourceJson)]),
  );
}

export const resourceJson = ({ type, bytes }: Resource): unknown => bytesJson(resourceType(type).url, bytes);
