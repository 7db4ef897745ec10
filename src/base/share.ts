/**
 * Structural sharing: returns a value equal to `next` in which every part that is deeply equal to the same part of
 * `previous` *is* that part. What did not change keeps its identity, so that whatever was derived from it stays valid.
 * Handles plain data: primitives, arrays, plain objects and maps.
 */
export function shareUnchanged<T>(previous: unknown, next: T): T {
  return share(previous, next) as T;
}

function share(previous: unknown, next: unknown): unknown {
  if (Object.is(previous, next)) return previous;
  if (typeof previous !== "object" || typeof next !== "object" || previous === null || next === null) return next;
  if (Array.isArray(next)) return Array.isArray(previous) ? shareArray(previous, next) : next;
  if (next instanceof Map) return previous instanceof Map ? shareMap(previous, next) : next;
  if (Object.getPrototypeOf(next) !== Object.prototype || Object.getPrototypeOf(previous) !== Object.prototype)
    return next;
  return shareObject(previous as Record<string, unknown>, next as Record<string, unknown>);
}

function shareArray(previous: readonly unknown[], next: readonly unknown[]): readonly unknown[] {
  const shared = next.map((item, index) => share(previous[index], item));
  const same = previous.length === shared.length && shared.every((item, index) => Object.is(item, previous[index]));
  return same ? previous : Object.freeze(shared);
}

function shareMap(
  previous: ReadonlyMap<unknown, unknown>,
  next: ReadonlyMap<unknown, unknown>,
): ReadonlyMap<unknown, unknown> {
  const shared = new Map([...next].map(([key, value]) => [key, share(previous.get(key), value)]));
  const before = [...previous.keys()];
  const same =
    before.length === shared.size &&
    [...shared].every(([key, value], index) => before[index] === key && Object.is(value, previous.get(key)));
  return same ? previous : shared;
}

function shareObject(previous: Record<string, unknown>, next: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.keys(next);
  const hasSameKeys = Object.keys(previous).length === keys.length && keys.every((key) => Object.hasOwn(previous, key));
  // Most often all parts are the very same.
  if (hasSameKeys && keys.every((key) => Object.is(next[key], previous[key]))) return previous;
  const shared = Object.fromEntries(keys.map((key) => [key, share(previous[key], next[key])]));
  return hasSameKeys && keys.every((key) => Object.is(shared[key], previous[key])) ? previous : Object.freeze(shared);
}
