import type { Batch } from "./history.ts";

/** Milliseconds since the epoch; absent: it has not happened on this stream. */
export interface Times {
  readonly sentMs?: number;
  readonly acceptedMs?: number;
}

/**
 * When one stream was sent what it holds of a type, and when it accepted that: a few bytes for each batch, as every stream has its
 * own times of all that it holds, which in a mesh of 1,000 services whose endpoints change one by one are 1,000 for each proxy.
 */
export interface DeliveryTimes {
  readonly sent: (batch: Batch, atMs: number) => void;
  /** A batch that was sent, or that the stream held from before. */
  readonly accepted: (batch: Batch, atMs: number) => void;
  /** By name, of the latest batches that had the name. */
  readonly byName: () => ReadonlyMap<string, Times>;
  /** How many batches are kept. */
  readonly size: () => number;
}

/** Batches that are kept before it is looked which ones still count. */
const manyBatches = 64;
const never = 0;

/** `isHeld`: whether there is anything of a name to have a time. */
export function createDeliveryTimes(isHeld: (name: string) => boolean): DeliveryTimes {
  /* Oldest first. Columns, which keep numbers as such, take a fourth of the room of objects. */
  let batches: Batch[] = [];
  let sentMs: number[] = [];
  let acceptedMs: number[] = [];
  let pruneAt = manyBatches;

  const latest = (times: readonly number[]): Map<string, number> => {
    const rows = new Map<string, number>();
    for (const [row, batch] of batches.entries()) {
      if (times[row] === never) continue;
      for (const { name, version } of batch) if (version !== undefined && isHeld(name)) rows.set(name, row);
    }
    return rows;
  };

  const prune = (): void => {
    const rows = [...new Set([latest(sentMs), latest(acceptedMs)].flatMap((one) => [...one.values()]))].sort(
      (a, b) => a - b,
    );
    const only = <T>(column: readonly T[]): T[] => rows.map((row) => column[row] as T);
    [batches, sentMs, acceptedMs] = [only(batches), only(sentMs), only(acceptedMs)];
    pruneAt = Math.max(manyBatches, 2 * batches.length);
  };

  const add = (batch: Batch, sent: number, accepted: number): void => {
    if (batches.length >= pruneAt) prune();
    batches.push(batch);
    sentMs.push(sent);
    acceptedMs.push(accepted);
  };

  return {
    sent: (batch, atMs) => add(batch, atMs, never),
    accepted: (batch, atMs) => {
      const row = batches.lastIndexOf(batch);
      if (row < 0) add(batch, never, atMs);
      else acceptedMs[row] = atMs;
    },
    byName: () => {
      const [sent, accepted] = [latest(sentMs), latest(acceptedMs)];
      const at = (times: readonly number[], row: number | undefined) => (row === undefined ? undefined : times[row]);
      return new Map(
        [...new Set([...sent.keys(), ...accepted.keys()])].map((name) => {
          const [one, other] = [at(sentMs, sent.get(name)), at(acceptedMs, accepted.get(name))];
          return [
            name,
            { ...(one !== undefined && { sentMs: one }), ...(other !== undefined && { acceptedMs: other }) },
          ];
        }),
      );
    },
    size: () => batches.length,
  };
}
