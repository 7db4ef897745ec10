import { compareText } from "../base/compare-text.ts";

/**
 * A copy of a map that is in the order of its keys, with some entries set and others (undefined) removed, in that order again.
 * Costs one walk over the map, not a sort of it.
 */
export function changeSorted<K extends string, V>(
  map: ReadonlyMap<K, V>,
  changes: ReadonlyMap<K, V | undefined>,
): ReadonlyMap<K, V> {
  const added = [...changes].filter((entry): entry is [K, V] => entry[1] !== undefined && !map.has(entry[0]));
  const next =
    added.length === 0
      ? new Map(map)
      : new Map(
          merge(
            map,
            added.sort(([a], [b]) => compareText(a, b)),
          ),
        );
  for (const [key, value] of changes) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

function* merge<K extends string, V>(map: ReadonlyMap<K, V>, added: readonly (readonly [K, V])[]) {
  let index = 0;
  for (const entry of map) {
    for (let first = added[index]; first !== undefined && first[0] < entry[0]; first = added[++index]) yield first;
    yield entry;
  }
  yield* added.slice(index);
}
