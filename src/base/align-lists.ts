/** A step from one list to another, by indexes: an item that stays, or what stands between those that do. */
export type Step =
  | { readonly kind: "same"; readonly before: number; readonly after: number }
  | { readonly kind: "other"; readonly before: readonly number[]; readonly after: readonly number[] };

type Pair = readonly [before: number, after: number];

/** Larger tables are not worth the time: all between the common beginning and the common end is other, then. */
const maxCells = 250_000;

/** How one list became another, with the longest run of items that stay in order. */
export function alignLists<T>(
  before: readonly T[],
  after: readonly T[],
  isSame: (a: T, b: T) => boolean,
): readonly Step[] {
  const steps: Step[] = [];
  let [i, j] = [0, 0];
  for (const [nextI, nextJ] of [...samePairs(before, after, isSame), [before.length, after.length] as const]) {
    if (nextI > i || nextJ > j) steps.push({ kind: "other", before: range(i, nextI), after: range(j, nextJ) });
    if (nextI < before.length) steps.push({ kind: "same", before: nextI, after: nextJ });
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return steps;
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

function samePairs<T>(before: readonly T[], after: readonly T[], isSame: (a: T, b: T) => boolean): readonly Pair[] {
  const shorter = Math.min(before.length, after.length);
  const sameAt = (i: number, j: number) => isSame(before[i] as T, after[j] as T);
  let head = 0;
  while (head < shorter && sameAt(head, head)) head += 1;
  let tail = 0;
  while (tail < shorter - head && sameAt(before.length - 1 - tail, after.length - 1 - tail)) tail += 1;
  return [
    ...range(0, head).map((index): Pair => [index, index]),
    ...longestRun(range(head, before.length - tail), range(head, after.length - tail), sameAt),
    ...range(0, tail).map((index): Pair => [before.length - tail + index, after.length - tail + index]),
  ];
}

/** The longest common subsequence, by the table of its lengths. */
function longestRun(
  before: readonly number[],
  after: readonly number[],
  sameAt: (i: number, j: number) => boolean,
): readonly Pair[] {
  if (before.length === 0 || after.length === 0 || before.length * after.length > maxCells) return [];
  const same = before.map((i) => after.map((j) => sameAt(i, j)));
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const lengthAt = (a: number, b: number): number => lengths[a]?.[b] ?? 0;
  for (let a = before.length - 1; a >= 0; a--) {
    const row = lengths[a] ?? new Uint32Array();
    for (let b = after.length - 1; b >= 0; b--) {
      row[b] = same[a]?.[b] ? lengthAt(a + 1, b + 1) + 1 : Math.max(lengthAt(a + 1, b), lengthAt(a, b + 1));
    }
  }
  const pairs: Pair[] = [];
  let [a, b] = [0, 0];
  while (a < before.length && b < after.length) {
    if (same[a]?.[b]) pairs.push([before[a++] ?? 0, after[b++] ?? 0]);
    else if (lengthAt(a + 1, b) >= lengthAt(a, b + 1)) a += 1;
    else b += 1;
  }
  return pairs;
}
