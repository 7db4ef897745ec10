import type { Clock } from "../../base/clock.ts";

/** Many deadlines, one timer. */
export interface Deadlines<T> {
  /** Watches the item, or looks again when its deadline came nearer. A deadline that only moves away needs no call. */
  readonly watch: (item: T) => void;
  readonly forget: (item: T) => void;
  readonly close: () => void;
}

export interface DeadlineOptions<T> {
  readonly clock: Clock;
  /** The item's deadline now, on the monotonic clock; Infinity: none. */
  readonly dueAt: (item: T) => number;
  /** Items whose deadline has passed; they are watched no more. Several of one moment come together. */
  readonly onDue: (items: readonly T[]) => void;
  /** The timer is this much too late: the process stood still. Nothing falls due before a second look, a while later. */
  readonly onStall: (lateMs: number) => void;
}

/** A timer that is later than this tells of a process that stood still. */
const stallMs = 500;
/** For what came meanwhile to be read. */
const settleMs = 1_000;

interface Entry<T> {
  readonly item: T;
  /** When to look at it; its deadline may have moved further away meanwhile. */
  at: number;
  index: number;
}

export function createDeadlines<T>({ clock, dueAt, onDue, onStall }: DeadlineOptions<T>): Deadlines<T> {
  const entries = new Map<T, Entry<T>>();
  /** A binary heap: no entry is earlier than its parent at `(index - 1) >> 1`. */
  const heap: Entry<T>[] = [];
  let closed = false;
  /** Of the second look after a stall. */
  let settledAt = Number.NEGATIVE_INFINITY;
  let timer: { readonly at: number; readonly cancel: () => void } | undefined;

  const place = (entry: Entry<T>, index: number): void => {
    heap[index] = entry;
    entry.index = index;
  };

  const rise = (entry: Entry<T>): void => {
    let { index } = entry;
    while (index > 0) {
      const parent = heap[(index - 1) >> 1];
      if (parent === undefined || parent.at <= entry.at) break;
      place(parent, index);
      index = (index - 1) >> 1;
    }
    place(entry, index);
  };

  const sink = (entry: Entry<T>): void => {
    let { index } = entry;
    for (;;) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= entry.at) break;
      const free = child.index;
      place(child, index);
      index = free;
    }
    place(entry, index);
  };

  const drop = (entry: Entry<T>): void => {
    entries.delete(entry.item);
    const last = heap.pop();
    if (last === undefined || last === entry) return;
    place(last, entry.index);
    rise(last);
    sink(last);
  };

  const arm = (): void => {
    const first = heap[0];
    if (timer !== undefined && first !== undefined && timer.at <= first.at) return;
    timer?.cancel();
    timer = undefined;
    if (first === undefined || closed) return;
    const now = clock.monotonic();
    const planned = Math.max(first.at, settledAt, now);
    timer = { at: first.at, cancel: clock.after(planned - now, () => tick(planned)) };
  };

  const tick = (plannedAt: number): void => {
    timer = undefined;
    const now = clock.monotonic();
    const lateMs = now - plannedAt;
    // A second look counts however late it is: a process that stands still again and again must not keep the dead for ever.
    if (lateMs > stallMs && plannedAt > settledAt) {
      settledAt = now + settleMs;
      onStall(lateMs);
      arm();
      return;
    }
    const due: T[] = [];
    for (let first = heap[0]; first !== undefined && first.at <= now; first = heap[0]) {
      first.at = dueAt(first.item);
      if (first.at > now && first.at !== Number.POSITIVE_INFINITY) sink(first);
      else {
        if (first.at <= now) due.push(first.item);
        drop(first);
      }
    }
    if (due.length > 0) onDue(due);
    arm();
  };

  return {
    watch(item) {
      const at = dueAt(item);
      const known = entries.get(item);
      if (known === undefined ? at === Number.POSITIVE_INFINITY : at >= known.at) return;
      const entry = known ?? { item, at, index: heap.length };
      entry.at = at;
      if (known === undefined) entries.set(item, entry);
      rise(entry);
      arm();
    },
    forget(item) {
      const entry = entries.get(item);
      if (entry !== undefined) drop(entry);
      if (heap.length === 0) arm();
    },
    close() {
      closed = true;
      timer?.cancel();
      timer = undefined;
      heap.length = 0;
      entries.clear();
    },
  };
}
