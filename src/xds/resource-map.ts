import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { changesBetween, OrderedMap } from "../base/ordered-map.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";

/** What a client is believed to hold: resources, or only the versions that it told us. */
export type VersionMap = ReadonlyMap<string, Pick<Resource, "version" | "onDemand">>;

export const noResources: ResourceMap = OrderedMap.of();
export const noNames: ReadonlySet<string> = new Set();

/** From one map to another: new and changed resources, and names that are gone, each in the order of its map. */
export interface Difference {
  readonly changed: readonly Resource[];
  readonly removed: readonly string[];
}

/** The same version; but what was for who names it alone, and is for everybody now, is new to a wildcard. */
const isStill = (
  before: Pick<Resource, "version" | "onDemand"> | undefined,
  after: Pick<Resource, "version" | "onDemand">,
): boolean => before?.version === after.version && (before.onDemand !== true || after.onDemand === true);

const noDifference: Difference = { changed: [], removed: [] };

/** Remembered by identity, so that the streams of one profile share the work. */
export const difference = memoize((from: VersionMap, to: ResourceMap): Difference => {
  if (from === to) return noDifference;
  const changes = changesBetween<string, Pick<Resource, "version" | "onDemand">>(from, to);
  return {
    changed: changes.flatMap(({ key, before, after }) =>
      after === undefined || isStill(before, after) ? [] : (to.get(key) ?? []),
    ),
    removed: changes.flatMap(({ key, after }) => (after === undefined ? [key] : [])),
  };
});

/**
 * `current` with everything of `target` laid over it: what `target` lacks stays. The names of `except` stay as they are in
 * `current`, or absent. A result equal to `target` or `current` is that very map.
 */
export const overlay = memoize(
  (current: ResourceMap, target: ResourceMap, except: ReadonlySet<string>): ResourceMap => {
    const changes = current.changesTo(target);
    const wanted = changes.flatMap(({ key, after }) => (after === undefined || except.has(key) ? [] : [after]));
    // Nothing of `current` is left in its own form, so far as forms differ.
    if (
      changes.every(({ before, after }) => after !== undefined && (!except.has(after.name) || isSame(before, after)))
    ) {
      return target;
    }
    return wanted.every((resource) => isSame(current.get(resource.name), resource))
      ? current
      : current.with(wanted.map((resource) => [resource.name, resource]));
  },
);

/** The same version and the same body: what is back again in the version that a client has listed takes the place of what was left over. */
const isSame = (before: Resource | undefined, after: Resource): boolean =>
  before !== undefined && isStill(before, after) && isLeftOver(before) === isLeftOver(after);

export const without = (map: ResourceMap, names: Iterable<string>): ResourceMap =>
  map.with([...names].map((name) => [name, undefined]));

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  compareText(a.name, b.name);

/** The same names in the same versions? */
export function sameContent(a: ResourceMap, b: ResourceMap): boolean {
  return a.size === b.size && difference(a, b).changed.length === 0;
}

/** The names of one type that these resources refer to. */
export const namesReferred = memoize((resources: readonly Resource[], type: Resource["type"]): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { references } of resources) for (const one of references) if (one.type === type) names.add(one.name);
  return names;
});

export const namesReferredIn = memoize(
  (resources: ResourceMap, type: Resource["type"]): ReadonlySet<string> => namesReferred([...resources.values()], type),
);

/** `map` and these resources. */
export const withResources = (map: ResourceMap, resources: readonly Resource[]): ResourceMap =>
  map.with(resources.map((one) => [one.name, one]));

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
