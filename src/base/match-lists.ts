import { canonicalJson } from "./canonical-json.ts";

/** Where an item of a changed list comes from. */
export interface ItemMatch {
  /** Which item it was; undefined for a new one. */
  readonly from?: number;
  /** It is still in order with the others that stay. */
  readonly stays: boolean;
}

/**
 * How one list became another, item by item of the new one: those that are equal are the same, else those that share their
 * name, else those that share what no other has, else those that stand at the same place between the same neighbours.
 * Takes time in proportion to the size of both lists.
 */
export function matchLists(before: readonly unknown[], after: readonly unknown[]): readonly ItemMatch[] {
  const matching = new Matching(before, after);
  matching.pairEqual();
  // What is deeper inside costs more to read.
  for (const depth of [1, 4]) matching.pairTelling(depth);
  matching.pairPlaces();
  return matching.matches();
}

class Matching {
  readonly #before: readonly unknown[];
  readonly #after: readonly unknown[];
  /** By index of the new list: the index in the old one. */
  readonly #from: (number | undefined)[];
  readonly #taken = new Set<number>();

  constructor(before: readonly unknown[], after: readonly unknown[]) {
    this.#before = before;
    this.#after = after;
    this.#from = after.map(() => undefined);
  }

  pairEqual(): void {
    const before = this.#before.map(canonicalJson);
    const after = this.#after.map(canonicalJson);
    const shorter = Math.min(before.length, after.length);
    let head = 0;
    while (head < shorter && before[head] === after[head]) this.#pair(head, head++);
    for (let tail = 1; tail <= shorter - head && before.at(-tail) === after.at(-tail); tail++) {
      this.#pair(before.length - tail, after.length - tail);
    }
    const places = Map.groupBy(this.#freeBefore().reverse(), (index) => before[index]);
    for (const index of this.#freeAfter()) {
      const place = places.get(after[index])?.pop();
      if (place !== undefined) this.#pair(place, index);
    }
  }

  pairTelling(depth: number): void {
    const [before, after] = [this.#freeBefore(), this.#freeAfter()];
    if (before.length === 0 || after.length === 0) return;
    const owners = ownersOf(before, this.#before, depth);
    const telling = [...ownersOf(after, this.#after, depth)]
      .filter(([trait, owner]) => owner !== undefined && owners.get(trait) !== undefined)
      // A name tells most, then what is long.
      .sort(([a], [b]) => Number(isName(b)) - Number(isName(a)) || b.length - a.length);
    for (const [trait, owner] of telling) this.#pairLike(owners.get(trait), owner);
  }

  pairPlaces(): void {
    const ends = [...this.#inOrder(), [this.#before.length, this.#after.length] as const];
    let [i, j] = [0, 0];
    for (const [nextI, nextJ] of ends) {
      const before = this.#freeBefore(i, nextI);
      const after = this.#freeAfter(j, nextJ);
      // One more or one less, and nobody can say who is who.
      if (before.length === after.length) for (const [k, index] of after.entries()) this.#pairLike(before[k], index);
      [i, j] = [nextI + 1, nextJ + 1];
    }
  }

  matches(): readonly ItemMatch[] {
    const staying = new Set(this.#inOrder().map(([, index]) => index));
    return this.#from.map((from, index) => ({ ...(from !== undefined && { from }), stays: staying.has(index) }));
  }

  #pair(from: number, index: number): void {
    this.#from[index] = from;
    this.#taken.add(from);
  }

  #pairLike(from: number | undefined, index: number | undefined): void {
    if (from === undefined || index === undefined || this.#taken.has(from) || this.#from[index] !== undefined) return;
    if (isLike(this.#before[from], this.#after[index])) this.#pair(from, index);
  }

  readonly #freeBefore = (from = 0, to = this.#before.length): number[] =>
    range(from, to).filter((index) => !this.#taken.has(index));

  readonly #freeAfter = (from = 0, to = this.#after.length): number[] =>
    range(from, to).filter((index) => this.#from[index] === undefined);

  /** The longest run of pairs that are in order in both lists. */
  #inOrder(): readonly (readonly [before: number, after: number])[] {
    interface Run {
      readonly from: number;
      readonly index: number;
      readonly previous: Run | undefined;
    }
    /** By length: the run that ends first in the old list. */
    const runs: Run[] = [];
    for (const [index, from] of this.#from.entries()) {
      if (from === undefined) continue;
      let [low, high] = [0, runs.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((runs[middle]?.from ?? 0) < from) low = middle + 1;
        else high = middle;
      }
      runs[low] = { from, index, previous: runs[low - 1] };
    }
    const pairs: (readonly [number, number])[] = [];
    for (let run = runs.at(-1); run !== undefined; run = run.previous) pairs.push([run.from, run.index]);
    return pairs.reverse();
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);

/** Who has a trait; undefined for one that several have. */
function ownersOf(
  indexes: readonly number[],
  list: readonly unknown[],
  depth: number,
): ReadonlyMap<string, number | undefined> {
  const owners = new Map<string, number | undefined>();
  for (const index of indexes) {
    for (const trait of traitsOf(list[index], depth)) owners.set(trait, owners.has(trait) ? undefined : index);
  }
  return owners;
}

/** What an item has, so many levels down, each part with its way. */
function traitsOf(value: unknown, depth: number, way = ""): readonly string[] {
  if (typeof value !== "object" || value === null || depth === 0) return [];
  return Object.entries(value).flatMap(([step, part]) => {
    const here = `${way}/${step}`;
    return [`${here}=${canonicalJson(part)}`, ...traitsOf(part, depth - 1, here)];
  });
}

const isName = (trait: string): boolean => trait.startsWith("/name=");

/** Two names are two items, unless at least half of the rest is equal: then one was renamed. */
function isLike(a: unknown, b: unknown): boolean {
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  const names = [left.get("name"), right.get("name")];
  if (names.includes(undefined) || names[0] === names[1]) return true;
  const equal = [...left].filter(([name, text]) => right.get(name) === text).length;
  return equal > 0 && 2 * equal >= Math.max(left.size, right.size) - 1;
}

const fieldsOf = (value: unknown): ReadonlyMap<string, string> =>
  new Map(
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([name, part]) => [name, canonicalJson(part)])
      : [],
  );
