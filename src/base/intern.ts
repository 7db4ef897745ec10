/** Gives equal values one identity, for as long as anybody has it. */
export interface Interner<T extends object> {
  /** The value that came first of those that are equal to this one: this one, where there is none. */
  readonly the: (value: T) => T;
  /** How many there are; those that nobody has go by and by. */
  readonly size: () => number;
}

/** Equal values have equal keys; of others with the same key only the last is known. */
export function createInterner<T extends object>(
  keyOf: (value: T) => string,
  isEqual: (a: T, b: T) => boolean,
): Interner<T> {
  const known = new Map<string, WeakRef<T>>();
  const gone = new FinalizationRegistry<string>((key) => {
    if (known.get(key)?.deref() === undefined) known.delete(key);
  });
  return {
    the: (value) => {
      const key = keyOf(value);
      const found = known.get(key)?.deref();
      if (found !== undefined && isEqual(found, value)) return found;
      known.set(key, new WeakRef(value));
      gone.register(value, key);
      return value;
    },
    size: () => known.size,
  };
}

/** A hash of texts that does not depend on their order; 64 bits, not meant to withstand anybody who wants two to be alike. */
export function hashOfAll(texts: Iterable<string>): string {
  let [low, high] = [0, 0];
  for (const text of texts) {
    low = (low + hashOf(text)) | 0;
    high = (high + hashOf(text, 0x9747b28c)) | 0;
  }
  return `${low}/${high}`;
}

/** 32 bits of a text: FNV-1a of its UTF-16 units, mixed at the end so that sums of hashes tell apart what differs in a few bits. */
export function hashOf(text: string, start = 0x811c9dc5): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
