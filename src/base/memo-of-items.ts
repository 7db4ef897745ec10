/**
 * Remembers the results of a pure function of a name and a long list by the list's items, for as long as anybody has a result. A look
 * costs one step an item, however many lists are known that begin alike.
 */
export function memoizeItems<T extends object, V extends object>(
  fn: (name: string, list: readonly T[]) => V,
): (name: string, list: readonly T[]) => V {
  interface Known {
    readonly list: readonly T[];
    readonly result: WeakRef<V>;
  }
  const known = new Map<string, Known>();
  const gone = new FinalizationRegistry<string>((key) => {
    if (known.get(key)?.result.deref() === undefined) known.delete(key);
  });
  return (name, list) => {
    const key = `${hashOfItems(list)} ${name}`;
    const before = known.get(key);
    const result = before !== undefined && isSameList(before.list, list) ? before.result.deref() : undefined;
    if (result !== undefined) return result;
    const made = fn(name, list);
    known.set(key, { list, result: new WeakRef(made) });
    gone.register(made, key);
    return made;
  };
}

export const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => Object.is(item, b[index]));

const numbers = new WeakMap<object, number>();
let last = 0;

/** A number of its own for each object. */
function numberOf(item: object): number {
  const known = numbers.get(item);
  if (known !== undefined) return known;
  last += 1;
  numbers.set(item, last);
  return last;
}

/** Two sums of 32 bits, of which the second knows the order. */
function hashOfItems(list: readonly object[]): string {
  let [low, high] = [0, list.length];
  for (const item of list) {
    low = (low + Math.imul(numberOf(item), 0x85ebca6b)) | 0;
    high = (Math.imul(high, 31) + numberOf(item)) | 0;
  }
  return `${low}/${high}`;
}
