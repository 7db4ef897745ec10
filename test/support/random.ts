/** Numbers that look random and follow from a seed alone. */
export interface Random {
  /** From 0 up to, and without, `below`. */
  readonly int: (below: number) => number;
  /** True so often: 0 never, 1 always. */
  readonly chance: (probability: number) => boolean;
  /** Throws for an empty list. */
  readonly pick: <T>(list: readonly T[]) => T;
  /** As `pick`, by weight. */
  readonly weighted: <T>(list: readonly (readonly [weight: number, T])[]) => T;
  readonly bytes: (length: number) => Buffer;
}

/** `seed`: a whole number; equal ones give equal numbers. */
export function createRandom(seed: number): Random {
  // Neighbouring seeds must not begin alike.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  /** Mulberry32. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    int,
    chance: (probability) => next() < probability,
    pick(list) {
      const at = int(list.length);
      for (const one of list.slice(at, at + 1)) return one;
      throw new Error("nothing to pick from");
    },
    weighted(list) {
      let left = next() * list.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of list) {
        left -= weight;
        if (left < 0) return value;
      }
      throw new Error("nothing to pick from");
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
  };
}
