import type { Reference, Resource } from "../envoy/resource-set.ts";
import { resourceType } from "../envoy/resource-types.ts";

/**
 * Puts an empty cluster where a route names one that does not exist (an unknown host or subset): requests there get 503, as
 * Istio's users know it, and everything else stays as it is. Any other dangling reference is a fault of the compiler and throws.
 */
export function repairReferences(
  resources: readonly Resource[],
  emptyCluster: (name: string, reason: string) => Resource,
): readonly Resource[] {
  return danglingReferences(resources).map(({ type, name, from }) => {
    if (type !== "CDS") throw new Error(`${resourceType(type).short} ${name} is missing, and ${from} names it`);
    return emptyCluster(name, "a route names it, and no such service, port or subset is known");
  });
}

/** What is named and not there, once each. */
export function danglingReferences(resources: readonly Resource[]): readonly (Reference & { readonly from: string })[] {
  const key = ({ type, name }: Reference): string => `${type} ${name}`;
  const present = new Set(resources.map(key));
  const missing = new Map<string, Reference & { readonly from: string }>();
  for (const resource of resources) {
    for (const reference of resource.references) {
      if (!present.has(key(reference))) missing.set(key(reference), { ...reference, from: key(resource) });
    }
  }
  return [...missing.values()];
}
