import { isSameList } from "./memo-of-items.ts";

type Key = object | string | number | boolean | undefined;

interface Node<V> {
  byIdentity?: WeakMap<object, Node<V>>;
  byValue?: Map<Key, Node<V>>;
  result?: { readonly value: V };
}

/**
 * Remembers the results of a pure function by the identity of its object arguments (and the value of its primitive
 * ones). A result lives as long as its object arguments: give at least one, and the objects first.
 */
export function memoize<A extends readonly Key[], V>(fn: (...args: A) => V): (...args: A) => V {
  return memoizeBy((...args) => args, fn);
}

/** The same for a function whose arguments are made anew for each call: by the parts that its result follows from. */
export function memoizeBy<A extends readonly unknown[], V>(
  partsOf: (...args: A) => readonly Key[],
  fn: (...args: A) => V,
): (...args: A) => V {
  const root: Node<V> = {};
  return (...args) => {
    let node = root;
    for (const part of partsOf(...args)) node = child(node, part);
    node.result ??= { value: fn(...args) };
    return node.result.value;
  };
}

function child<V>(node: Node<V>, key: Key): Node<V> {
  if (typeof key === "object") {
    node.byIdentity ??= new WeakMap();
    return entry(node.byIdentity, key);
  }
  node.byValue ??= new Map();
  return entry(node.byValue, key);
}

function entry<K, V>(
  table: { get(key: K): Node<V> | undefined; set(key: K, node: Node<V>): unknown },
  key: K,
): Node<V> {
  const found = table.get(key);
  if (found !== undefined) return found;
  const made: Node<V> = {};
  table.set(key, made);
  return made;
}

/** Results that are remembered of one first item. */
const maxPerItem = 16;

/**
 * The same for a function of a long list: by its items one by one, of which the first keeps what is remembered. Of lists that begin
 * alike the last few count.
 */
export function memoizeList<T extends object, V>(
  fn: (name: string, list: readonly T[]) => V,
): (name: string, list: readonly T[]) => V {
  interface Known {
    readonly name: string;
    readonly list: readonly T[];
    readonly value: V;
  }
  const nobody = {};
  const known = new WeakMap<object, Known[]>();
  return (name, list) => {
    const first = list[0] ?? nobody;
    const before = known.get(first) ?? [];
    const found = before.find((one) => one.name === name && isSameList(one.list, list));
    if (found !== undefined) return found.value;
    const value = fn(name, list);
    known.set(first, [{ name, list, value }, ...before.slice(0, maxPerItem - 1)]);
    return value;
  };
}

/**
 * Gives lists an identity: for one owner, a list with the very items of the owner's last list *is* that list. For filters whose
 * result often stays the same while their input changes.
 */
export function keepSameList<T>(): (owner: object, list: readonly T[]) => readonly T[] {
  const last = new WeakMap<object, readonly T[]>();
  return (owner, list) => {
    const before = last.get(owner);
    if (before !== undefined && isSameList(before, list)) return before;
    last.set(owner, list);
    return list;
  };
}
