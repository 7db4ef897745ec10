import sortedBtree from "sorted-btree";
import diffAgainst from "sorted-btree/extended/diffAgainst.js";
import { compareText } from "./compare-text.ts";

type Tree<K, V> = sortedBtree.default<K, V>;

/** An entry that two maps do not have alike. Absent: one does not have it at all. */
export interface Change<K, V> {
  readonly key: K;
  readonly before?: V;
  readonly after?: V;
}

/**
 * A map in the order of its keys that never changes. A changed copy shares all else with it: to make one, and to compare the two,
 * costs work in proportion to the changes. Values are objects.
 */
export class OrderedMap<K extends string, V extends object> implements ReadonlyMap<K, V> {
  readonly #tree: Tree<K, V>;

  private constructor(tree: Tree<K, V>) {
    this.#tree = tree;
  }

  /** Of entries in any order; the last of equal keys counts. */
  static of<K extends string, V extends object>(entries: Iterable<readonly [K, V]> = []): OrderedMap<K, V> {
    const tree = new sortedBtree.default<K, V>(undefined, compareText);
    // Ascending keys fill the nodes; others leave them half empty.
    for (const [key, value] of [...entries].sort(([a], [b]) => compareText(a, b))) tree.set(key, value);
    return new OrderedMap(tree);
  }

  get size(): number {
    return this.#tree.size;
  }

  get(key: K): V | undefined {
    return this.#tree.get(key);
  }

  has(key: K): boolean {
    return this.#tree.has(key);
  }

  *entries(): Generator<[K, V], undefined> {
    yield* this.#tree.entries();
    return undefined;
  }

  *keys(): Generator<K, undefined> {
    yield* this.#tree.keys();
    return undefined;
  }

  *values(): Generator<V, undefined> {
    yield* this.#tree.values();
    return undefined;
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries();
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    this.#tree.forEachPair((key, value) => callback(value, key, this));
  }

  /** A copy with these entries set, or removed where undefined; this very map when that changes nothing. */
  with(changes: Iterable<readonly [K, V | undefined]>): OrderedMap<K, V> {
    let copy: Tree<K, V> | undefined;
    for (const [key, value] of changes) {
      if ((copy ?? this.#tree).get(key) === value) continue;
      copy ??= this.#tree.clone();
      if (value === undefined) copy.delete(key);
      else copy.set(key, value);
    }
    return copy === undefined ? this : new OrderedMap(copy);
  }

  /** What differs, by identity, from this map to `other`; in the order of keys. */
  changesTo(other: OrderedMap<K, V>): readonly Change<K, V>[] {
    const changes: Change<K, V>[] = [];
    if (other === this) return changes;
    diffAgainst.default(
      this.#tree,
      other.#tree,
      (key, before) => {
        changes.push({ key, before });
      },
      (key, after) => {
        changes.push({ key, after });
      },
      (key, before, after) => {
        changes.push({ key, before, after });
      },
    );
    // What only one of them has is told out of turn.
    return changes.sort((a, b) => compareText(a.key, b.key));
  }
}

/** The same for any two maps: one walk over both, where they are not both ordered ones; the order is then that of `after`, and what is gone comes last. */
export function changesBetween<K extends string, V extends object>(
  before: ReadonlyMap<K, V>,
  after: ReadonlyMap<K, V>,
): readonly Change<K, V>[] {
  if (before instanceof OrderedMap && after instanceof OrderedMap) return before.changesTo(after);
  const changes: Change<K, V>[] = [];
  for (const [key, value] of after) {
    const old = before.get(key);
    if (old === undefined) changes.push({ key, after: value });
    else if (old !== value) changes.push({ key, before: old, after: value });
  }
  for (const [key, value] of before) if (!after.has(key)) changes.push({ key, before: value });
  return changes;
}

/** A map's values, each made into another one; remembers the last map, so that only what has changed since is made anew. */
export function createMapper<K extends string, V extends object, R extends object>(
  make: (value: V, key: K) => R,
): (map: OrderedMap<K, V>) => OrderedMap<K, R> {
  let last = OrderedMap.of<K, V>();
  let made = OrderedMap.of<K, R>();
  return (map) => {
    const changes = last.changesTo(map);
    made = made.with(
      changes.map(({ key, after }) => [key, after === undefined ? undefined : make(after, key)] as const),
    );
    last = map;
    return made;
  };
}

/**
 * A map with the entries of `next` that shares with `before` all that it can. `shareValue` says which value to keep where both have
 * one; without it that of `next`.
 */
export const shareEntries = <K extends string, V extends object>(
  before: OrderedMap<K, V>,
  next: OrderedMap<K, V>,
  shareValue: (before: V | undefined, after: V) => V = (_, after) => after,
): OrderedMap<K, V> =>
  before.with(
    before
      .changesTo(next)
      .map(({ key, before: old, after }) => [key, after === undefined ? undefined : shareValue(old, after)] as const),
  );
