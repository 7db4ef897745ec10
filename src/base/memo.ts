type Key = object | string | number | boolean | undefined;

interface Node<V> {
  readonly byIdentity: WeakMap<object, Node<V>>;
  readonly byValue: Map<Key, Node<V>>;
  result?: { readonly value: V };
}

const emptyNode = <V>(): Node<V> => ({ byIdentity: new WeakMap(), byValue: new Map() });

/**
 * Remembers the results of a pure function by the identity of its object arguments (and the value of its primitive
 * ones). A result lives as long as its object arguments; give at least one, and the object first, or it lives for ever.
 */
export function memoize<A extends readonly Key[], V>(fn: (...args: A) => V): (...args: A) => V {
  const root = emptyNode<V>();
  return (...args) => {
    let node = root;
    for (const arg of args) node = child(node, arg);
    node.result ??= { value: fn(...args) };
    return node.result.value;
  };
}

function child<V>(node: Node<V>, key: Key): Node<V> {
  const table: Pick<Map<Key, Node<V>>, "get" | "set"> = typeof key === "object"
    ? (node.byIdentity as unknown as Map<Key, Node<V>>)
    : node.byValue;
  const found = table.get(key);
  if (found) return found;
  const made = emptyNode<V>();
  table.set(key, made);
  return made;
}
