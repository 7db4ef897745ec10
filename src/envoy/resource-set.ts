import { OrderedMap } from "../base/ordered-map.ts";
import type { Provenance } from "./provenance.ts";
import { perType, resourceTypes, type TypeName } from "./resource-types.ts";

/** What a resource names and cannot work without. */
export interface Reference {
  readonly type: TypeName;
  readonly name: string;
}

/** Equal for what has equal type and name. */
export const referenceKey = ({ type, name }: Reference): string => `${type} ${name}`;

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

/** A resource that is not what it should be, so that the rest of its set can go out. */
export interface Repair {
  readonly type: TypeName;
  readonly name: string;
  /**
   * `missing`: others name it, and nothing of that name is there; it is empty. `broken`: it could not be compiled, and what could be
   * saved of it stands there, mostly its last good version; where nothing could, it is left out. `conflict`: several services want
   * to be it, and some of them had to give way.
   */
  readonly kind: "missing" | "broken" | "conflict";
  /** What names it, or what went wrong: a sentence without its full stop. */
  readonly reason: string;
}

/** Resources of one type by name. */
export type ResourceMap = OrderedMap<string, Resource>;

/** Everything that one profile gets. Immutable. */
export interface ResourceSet {
  readonly resources: Readonly<Record<TypeName, ResourceMap>>;
  /** In no particular order; mostly none. */
  readonly repairs: readonly Repair[];
}

/** Makes a set; throws when a name appears twice in one type. */
export function createResourceSet(resources: Iterable<Resource>, repairs: readonly Repair[] = []): ResourceSet {
  const tables = perType(() => new Map<string, Resource>());
  for (const resource of resources) {
    const table = tables[resource.type];
    if (table.has(resource.name)) throw new Error(`${resource.type} ${resource.name} was compiled twice`);
    table.set(resource.name, resource);
  }
  return { resources: perType(({ short }) => OrderedMap.of(tables[short])), repairs };
}

/** Do both hold the same resources in the same versions? */
export const hasEqualVersions = (a: ResourceSet, b: ResourceSet): boolean =>
  resourceTypes.every(({ short }) =>
    a.resources[short]
      .changesTo(b.resources[short])
      .every(({ before, after }) => before !== undefined && before.version === after?.version),
  );
