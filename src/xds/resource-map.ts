import { memoize } from "../base/memo.ts";
import type { Resource } from "../envoy/resource-set.ts";

/** Resources of one type by name, in the order of their names. */
export type ResourceMap = ReadonlyMap<string, Resource>;

/** What a client is believed to hold: resources, or only the versions that it told us. */
export type VersionMap = ReadonlyMap<string, { readonly version: string }>;

export const noResources: ResourceMap = new Map();
export const noNames: ReadonlySet<string> = new Set();

/** From one map to another: new and changed resources, and names that are gone, each in the order of its map. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

/** Remembered by identity, so that the streams of one profile share the work. */
export const difference = memoize(
  (from: VersionMap, to: ResourceMap): Difference => ({
    changed: from === to ? [] : [...to.values()].filter(({ name, version }) => from.get(name)?.version !== version),
    removed: from === to ? [] : [...from.keys()].filter((name) => !to.has(name)),
  }),
);

/**
 * `current` with everything of `target` laid over it: what `target` lacks stays. The resources of `except` stay as they are in
 * `current`, or absent. A result equal to `target` or `current` is that very map.
 */
export const overlay = memoize(
  (current: ResourceMap, target: ResourceMap, except: readonly Resource[]): ResourceMap => {
    if (current === target) return target;
    const kept = new Set(except.map(({ name }) => name));
    const merged = new Map(current);
    for (const [name, resource] of target) if (!kept.has(name)) merged.set(name, resource);
    if (sameContent(merged, target)) return target;
    return sameContent(merged, current) ? current : sorted(merged);
  },
);

/** `map` restricted to the names for which `wanted` holds. */
export const restricted = <V>(map: ReadonlyMap<string, V>, wanted: (name: string) => boolean): ReadonlyMap<string, V> =>
  new Map([...map].filter(([name]) => wanted(name)));

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : Number(a.name > b.name);

/** The same names in the same versions? */
export function sameContent(a: ResourceMap, b: ResourceMap): boolean {
  return a.size === b.size && difference(a, b).changed.length === 0;
}

const sorted = (map: ResourceMap): ResourceMap => new Map([...map].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));
