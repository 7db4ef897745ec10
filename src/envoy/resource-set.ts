import { compareText } from "../base/compare-text.ts";
import type { Provenance } from "./provenance.ts";
import { resourceTypes, type TypeName } from "./resource-types.ts";

/** One compiled xDS resource. */
export interface Resource {
  readonly type: TypeName;
  readonly name: string;
  /** Content hash: equal on every replica and after a restart. For endpoints it covers their cluster too. */
  readonly version: string;
  /** The canonical bytes of the message: what goes into `Any.value`. Shared by every profile and stream that gets it. */
  readonly bytes: Uint8Array;
  /** Who gave which part of it; made when first asked for. */
  readonly provenance: () => Provenance;
}

/** Everything that one profile gets: per type the resources by name, in the order of their names. Immutable. */
export interface ResourceSet {
  readonly resources: Readonly<Record<TypeName, ReadonlyMap<string, Resource>>>;
}

/** Makes a set; throws when a name appears twice in one type. */
export function createResourceSet(resources: Iterable<Resource>): ResourceSet {
  const sorted = [...resources].sort((a, b) => compareText(a.name, b.name));
  const tables = Object.fromEntries(resourceTypes.map(({ short }) => [short, new Map<string, Resource>()])) as Record<
    TypeName,
    Map<string, Resource>
  >;
  for (const resource of sorted) {
    const table = tables[resource.type];
    if (table.has(resource.name)) throw new Error(`${resource.type} ${resource.name} was compiled twice`);
    table.set(resource.name, resource);
  }
  return { resources: tables };
}

/** Do both hold the same resources in the same versions? */
export function hasEqualVersions(a: ResourceSet, b: ResourceSet): boolean {
  return resourceTypes.every(({ short }) => {
    const [left, right] = [a.resources[short], b.resources[short]];
    return left.size === right.size && [...left].every(([name, { version }]) => right.get(name)?.version === version);
  });
}
