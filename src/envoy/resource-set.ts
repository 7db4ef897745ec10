import { compareText } from "../base/compare-text.ts";
import type { Provenance } from "./provenance.ts";
import { perType, resourceTypes, type TypeName } from "./resource-types.ts";

/** What a resource names and cannot work without. */
export interface Reference {
  readonly type: TypeName;
  readonly name: string;
}

/** One compiled xDS resource. */
export interface Resource {
  readonly type: TypeName;
  readonly name: string;
  /** Content hash: equal on every replica and after a restart. For endpoints it covers their cluster too. */
  readonly version: string;
  /** The canonical bytes of the message: what goes into `Any.value`. Shared by every profile and stream that gets it. */
  readonly bytes: Uint8Array;
  readonly references: readonly Reference[];
  /** Only for who names it: a wildcard does not cover it. */
  readonly onDemand?: boolean;
  /**
   * A client that can gives it up when it hears nothing of it for this long; the version covers it. Milliseconds. Absent: never.
   */
  readonly ttlMs?: number;
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
  const tables = perType(() => new Map<string, Resource>());
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
