import { compareText } from "../base/compare-text.ts";

/**
 * A copy of a map that is in the order of its keys, with some entries set and others (undefined) removed, in that order again.
 * Costs one walk over the map, not a sort of it.
 */
export function changeSorted<K extends string, V>(
  map: ReadonlyMap<K, V>,
  changes: ReadonlyMap<K, V | undefined>,
): Map<K, V> {
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

/** The keys of two maps whose values differ, given that both are in the order of their keys. Costs one walk over both. */
export function changedKeys<K extends string, V>(before: ReadonlyMap<K, V>, after: ReadonlyMap<K, V>): readonly K[] {
  const changed: K[] = [];
  const [olds, news] = [before.entries(), after.entries()];
  let [old, next] = [olds.next(), news.next()];
  while (!old.done || !next.done) {
    const [oldKey, oldValue] = old.value ?? [];
    const [key, value] = next.value ?? [];
    const isSameKey = oldKey === key;
    const goesFirst = key === undefined || (oldKey !== undefined && oldKey < key);
    const changedKey = goesFirst ? oldKey : key;
    if (changedKey !== undefined && !(isSameKey && Object.is(oldValue, value))) changed.push(changedKey);
    if (isSameKey || goesFirst) old = olds.next();
    if (isSameKey || !goesFirst) next = news.next();
  }
  return changed;
}
