/** Milliseconds since the epoch; absent: it has not happened on this stream. */
export interface Times {
  readonly sentMs?: number;
  readonly acceptedMs?: number;
}

/** The names that one response sent in some version. Its identity stands for the occasion. */
export type SentNames = readonly string[];

/**
 * When one stream was sent what it holds of a type, and when it accepted that: a few bytes for each response, as every stream has
 * its own times of all that it holds, which in a mesh of 1,000 services whose endpoints change one by one are 1,000 for each proxy.
 */
export interface DeliveryTimes {
  readonly sent: (names: SentNames, atMs: number) => void;
  /** Names as they were sent. */
  readonly accepted: (names: SentNames, atMs: number) => void;
  /** It holds something from before. */
  readonly resumed: (atMs: number) => void;
  /** Of a name that is held: by the latest responses that had it. */
  readonly lookUp: () => (name: string) => Times;
  /** How many responses are kept. */
  readonly size: () => number;
}

/** As many responses are kept in any case before it is looked which ones still count. */
const manyRows = 64;
const never = 0;

/** What can have a time. */
export interface HeldNames {
  readonly has: (name: string) => boolean;
  readonly count: () => number;
}

let made = 0;

export function createDeliveryTimes(held: HeldNames): DeliveryTimes {
  // Streams are told of the same changes: each looks what still counts at a moment of its own. 0 to 1, evenly spread.
  const phase = (made++ * 0.618) % 1;
  /* Oldest first. Columns, which keep numbers as such, take a fourth of the room of objects. */
  let names: SentNames[] = [];
  let sentMs: number[] = [];
  let acceptedMs: number[] = [];
  let pruneAt = 0;
  /** What came first, mostly all there is: names that are held and in no row came with it, so it can do without their list. */
  const first = { names: undefined as SentNames | undefined, sentMs: never, acceptedMs: never };
  let isBegun = false;

  /** The last row of each name, of those in which this has happened. */
  const rowsWith = (times: readonly number[]): ReadonlyMap<string, number> => {
    const rows = new Map<string, number>();
    for (const [row, list] of names.entries()) {
      if (times[row] === never) continue;
      for (const name of list) if (held.has(name)) rows.set(name, row);
    }
    return rows;
  };

  const prune = (): void => {
    const wanted = [rowsWith(sentMs), rowsWith(acceptedMs)].flatMap((rows) => [...rows.values()]);
    const rows = [...new Set(wanted)].sort((a, b) => a - b);
    const only = <T>(column: readonly T[]): T[] => rows.map((row) => column[row] as T);
    [names, sentMs, acceptedMs] = [only(names), only(sentMs), only(acceptedMs)];
  };

  const add = (list: SentNames, sent: number, accepted: number): void => {
    if (names.length >= pruneAt) {
      prune();
      // No more of them count than there are names, or little more.
      pruneAt = Math.max(manyRows, names.length, held.count()) * (1.25 + phase / 2);
    }
    names.push(list);
    sentMs.push(sent);
    acceptedMs.push(accepted);
  };

  return {
    sent: (list, atMs) => {
      if (isBegun) add(list, atMs, never);
      else [first.names, first.sentMs] = [list, atMs];
      isBegun = true;
    },
    accepted: (list, atMs) => {
      if (first.names === list) {
        [first.names, first.acceptedMs] = [undefined, atMs];
        return;
      }
      const row = names.lastIndexOf(list);
      if (row < 0) add(list, never, atMs);
      else acceptedMs[row] = atMs;
    },
    resumed: (atMs) => {
      if (!isBegun) first.acceptedMs = atMs;
      isBegun = true;
    },
    lookUp: () => {
      const inRows = (times: readonly number[]): ((name: string) => number | undefined) => {
        const rows = rowsWith(times);
        return (name) => times[rows.get(name) ?? -1];
      };
      const [sent, accepted] = [inRows(sentMs), inRows(acceptedMs)];
      return (name) => {
        const [sentAt, acceptedAt] = [sent(name) ?? first.sentMs, accepted(name) ?? first.acceptedMs];
        return {
          ...(sentAt !== never && { sentMs: sentAt }),
          ...(acceptedAt !== never && { acceptedMs: acceptedAt }),
        };
      };
    },
    size: () => names.length,
  };
}
