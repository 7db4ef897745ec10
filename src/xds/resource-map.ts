import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import type { Resource } from "../envoy/resource-set.ts";

/** Resources of one type by name, in the order of their names. */
export type ResourceMap = ReadonlyMap<string, Resource>;

/** What a client is believed to hold: resources, or only the versions that it told us. */
export type VersionMap = ReadonlyMap<string, Pick<Resource, "version" | "onDemand">>;

export const noResources: ResourceMap = new Map();
export const noNames: ReadonlySet<string> = new Set();

/** From one map to another: new and changed resources, and names that are gone, each in the order of its map. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

const noDifference: Difference = { changed: [], removed: [] };

/** Remembered by identity, so that the streams of one profile share the work. */
export const difference = memoize(
  (from: VersionMap, to: ResourceMap): Difference =>
    from === to
      ? noDifference
      : {
          changed: [...to.values()].filter(({ name, version }) => from.get(name)?.version !== version),
          removed: [...from.keys()].filter((name) => !to.has(name)),
        },
);

/**
 * `current` with everything of `target` laid over it: what `target` lacks stays. The names of `except` stay as they are in
 * `current`, or absent. A result equal to `target` or `current` is that very map.
 */
export const overlay = memoize(
  (current: ResourceMap, target: ResourceMap, except: ReadonlySet<string>): ResourceMap => {
    const merged = new Map(current);
    for (const [name, resource] of target) if (!except.has(name)) merged.set(name, resource);
    if (isSame(merged, target)) return target;
    return isSame(merged, current) ? current : sorted(merged);
  },
);

/** `map` restricted to the names for which `wanted` holds. */
export const restricted = <V>(map: ReadonlyMap<string, V>, wanted: (name: string) => boolean): ReadonlyMap<string, V> =>
  new Map([...map].filter(([name]) => wanted(name)));

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  compareText(a.name, b.name);

/** The same names in the same versions? */
export function sameContent(a: ResourceMap, b: ResourceMap): boolean {
  return a.size === b.size && difference(a, b).changed.length === 0;
}

/** And the same bodies: what is back again in the version that a client has listed takes the place of what was left over. */
const isSame = (a: ResourceMap, b: ResourceMap): boolean =>
  sameContent(a, b) &&
  leftOversIn(a).every((one) => b.get(one.name) === one) &&
  leftOversIn(b).every((one) => a.get(one.name) === one);

const leftOversIn = memoize((map: ResourceMap): readonly Resource[] => [...map.values()].filter(isLeftOver));

/** The names of one type that these resources refer to. */
export const namesReferred = (resources: Iterable<Resource>, type: Resource["type"]): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { references } of resources) for (const one of references) if (one.type === type) names.add(one.name);
  return names;
};

/** `map` and these resources, in the order of names. */
export const withResources = (map: ResourceMap, resources: readonly Resource[]): ResourceMap =>
  resources.length === 0 ? map : sorted(new Map([...map, ...resources.map((one) => [one.name, one] as const)]));

const sorted = (map: ResourceMap): ResourceMap => new Map([...map].sort(([a], [b]) => compareText(a, b)));

/** The bodies of these are with the client alone: it listed them, and we have no such resource any more. */
const nothing = new Uint8Array();

export const leftOver = (type: Resource["type"], name: string, version: string): Resource => ({
  type,
  name,
  version,
  bytes: nothing,
  references: [],
  provenance: () => [],
});

export const isLeftOver = ({ bytes }: Resource): boolean => bytes === nothing;
