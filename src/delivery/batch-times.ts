import type { Batch } from "./history.ts";

/** When one stream was sent a batch, and what it said to it. Milliseconds since the epoch; 0 for what has not happened. */
export interface Times {
  readonly sentMs: number;
  readonly acceptedMs: number;
  readonly refusedMs: number;
}

/**
 * The times of many batches in a few bytes each: every stream has its own of every batch that it still holds something of, which in a
 * mesh of 1,000 services whose endpoints change one by one are 1,000 for each proxy.
 */
export interface BatchTimes {
  readonly note: (batch: Batch, what: keyof Times, atMs: number) => void;
  /** undefined for a batch that was never noted, or is forgotten. */
  readonly of: (batch: Batch) => Times | undefined;
  readonly size: () => number;
  readonly keepOnly: (isWanted: (batch: number) => boolean) => void;
}

const numbers = new WeakMap<Batch, number>();
let lastNumber = 0;

/** Counts up with the batches of this process, in the order in which they are first noted. */
export function numberOf(batch: Batch): number {
  const known = numbers.get(batch);
  if (known !== undefined) return known;
  numbers.set(batch, ++lastNumber);
  return lastNumber;
}

/** What a row holds: the number of the batch, and times in ms since the first one, plus 1. */
const columns = { number: 0, sentMs: 1, acceptedMs: 2, refusedMs: 3 } as const;
const width = Object.keys(columns).length;
const firstRows = 4;

/** Tells times apart to the millisecond for 49 days from the first one on; what is earlier or later counts as the edge. */
export function createBatchTimes(): BatchTimes {
  let sinceMs: number | undefined;
  /** Ascending by number. */
  let rows = new Uint32Array(firstRows * width);
  let count = 0;

  const numberAt = (row: number): number => rows[row * width] ?? 0;

  /** Of the first row whose batch is not before this one. */
  const rowOf = (number: number): number => {
    let [low, high] = [0, count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (numberAt(middle) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const insert = (row: number, number: number): void => {
    if ((count + 1) * width > rows.length) {
      const grown = new Uint32Array(Math.ceil(rows.length / width / 2) * 3 * width);
      grown.set(rows);
      rows = grown;
    }
    rows.copyWithin((row + 1) * width, row * width, count * width);
    rows.fill(0, row * width, (row + 1) * width);
    rows[row * width] = number;
    count++;
  };

  const timeAt = (row: number, what: keyof Times): number => {
    const time = rows[row * width + columns[what]] ?? 0;
    return time === 0 || sinceMs === undefined ? 0 : sinceMs + time - 1;
  };

  return {
    note: (batch, what, atMs) => {
      sinceMs ??= atMs;
      const number = numberOf(batch);
      const row = rowOf(number);
      if (row === count || numberAt(row) !== number) insert(row, number);
      rows[row * width + columns[what]] = Math.min(Math.max(0, atMs - sinceMs) + 1, 2 ** 32 - 1);
    },
    of: (batch) => {
      const number = numbers.get(batch);
      if (number === undefined) return undefined;
      const row = rowOf(number);
      if (row === count || numberAt(row) !== number) return undefined;
      return {
        sentMs: timeAt(row, "sentMs"),
        acceptedMs: timeAt(row, "acceptedMs"),
        refusedMs: timeAt(row, "refusedMs"),
      };
    },
    size: () => count,
    keepOnly: (isWanted) => {
      let kept = 0;
      for (let row = 0; row < count; row++) {
        if (!isWanted(numberAt(row))) continue;
        rows.copyWithin(kept * width, row * width, (row + 1) * width);
        kept++;
      }
      count = kept;
      // What was needed at the most is not held for ever.
      if (count * width * 4 < rows.length) rows = rows.slice(0, Math.max(firstRows, count * 2) * width);
    },
  };
}
