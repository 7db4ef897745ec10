import { createInterner, hashOf } from "../base/intern.ts";
import { memoize } from "../base/memo.ts";
import { OrderedMap } from "../base/ordered-map.ts";

/** Name and version of a resource in a response; no version: it was announced as removed, or as not there. */
export interface SentResource {
  readonly name: string;
  readonly version?: string;
  /** It was announced by an error of its own. */
  readonly error?: true;
}

/** What went out in one response, or was listed as held. Streams that are given the same list share what follows from it. */
export type Batch = readonly SentResource[];

export interface Refusal {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The proxy's text. */
  readonly reason: string;
  /** To blame, as far as can be told; the others only shared the response with one that is. */
  readonly suspect: boolean;
}

/** What is known of one resource on one stream. */
export interface Entry {
  readonly name: string;
  /** The version last sent; that which it held already, when none was. */
  readonly sent: string;
  readonly accepted?: string;
  /** Since the last acceptance. */
  readonly refused?: Refusal;
  /** Its removal was sent and is not accepted yet. */
  readonly leaving: boolean;
}

/**
 * All that a stream was sent of one type, and what it said. The next one follows from the one before and from what happened, and
 * one that waits for no answer is the only one of its content: so streams that hold the same share one history, as large as it may
 * be, whatever brought them there.
 */
export interface History {
  /** By name. */
  readonly entries: OrderedMap<string, Entry>;
  /** Of the settled entries: equal where they are equal. */
  readonly hash: number;
  /** How many entries are to be answered yet, or were refused. */
  readonly unsettled: number;
}

/** A history and the names of which it says something else than the one before. */
export interface Turn {
  readonly history: History;
  readonly moved: readonly string[];
}

const settledHistories = createInterner<History>(
  ({ entries, hash }) => `${entries.size} ${hash}`,
  (a, b) => a.entries.changesTo(b.entries).every(({ before, after }) => isSame(before, after)),
);

export const noHistory: History = settledHistories.the({ entries: OrderedMap.of(), hash: 0, unsettled: 0 });

/** The response as it is to be answered: with the names that are absent from it, where absence is removal. */
export const asAnswered = memoize(({ entries }: History, batch: Batch, wholeSet: boolean): Batch => {
  if (!wholeSet) return batch;
  const present = new Set(batch.map(({ name }) => name));
  const absent = [...entries.keys()].filter((name) => !present.has(name));
  return absent.length === 0 ? batch : [...batch, ...absent.map((name) => ({ name }))];
});

/** The names whose version the proxy has not accepted. */
export const namesChanged = memoize(({ entries }: History, batch: Batch): readonly string[] =>
  batch.filter(({ name, version }) => entries.get(name)?.accepted !== version).map(({ name }) => name),
);

export const sentTo = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, ({ name, version }, before) =>
      version === undefined
        ? before && { ...before, leaving: true }
        : { ...(before ?? { name }), sent: version, leaving: false },
    ),
);

export const acceptedBy = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, ({ version }, before, settled) => {
      if (before === undefined) return undefined;
      if (version === undefined) return before.leaving ? undefined : before;
      if (before.sent === version && !before.leaving) return settled;
      const { refused, ...rest } = before;
      return { ...rest, accepted: version };
    }),
);

/** It holds these from an earlier stream. */
export const resumedBy = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, ({ version }, before, settled) => {
      if (before === undefined) return settled;
      return version === undefined ? before : { ...before, accepted: version };
    }),
);

/** `suspects`: names that are probably at fault. Not shared: texts and times differ. */
export const refusedBy = (
  history: History,
  batch: Batch,
  { reason, atMs }: Pick<Refusal, "reason" | "atMs">,
  suspects: ReadonlySet<string>,
): Turn =>
  turn(history, batch, ({ name, version }, before) => {
    if (before === undefined || version === undefined) return before;
    return { ...before, refused: { version, atMs, reason, suspect: suspects.has(name) } };
  });

export const droppedBy = memoize(
  (history: History, names: readonly string[]): Turn =>
    turn(
      history,
      names.map((name) => ({ name })),
      () => undefined,
    ),
);

function turn(
  history: History,
  batch: Batch,
  change: (one: SentResource, before: Entry | undefined, settled: Entry | undefined) => Entry | undefined,
): Turn {
  const settled = settledIn(batch);
  const edits = new Map<string, Entry | undefined>();
  let { hash, unsettled } = history;
  for (const [index, one] of batch.entries()) {
    const before = edits.has(one.name) ? edits.get(one.name) : history.entries.get(one.name);
    const after = change(one, before, settled[index]);
    if (isSame(before, after)) continue;
    edits.set(one.name, after);
    hash = (hash - hashIn(before) + hashIn(after)) | 0;
    unsettled += unsettledIn(after) - unsettledIn(before);
  }
  if (edits.size === 0) return { history, moved: [] };
  const next = { entries: history.entries.with(edits), hash, unsettled };
  return { history: unsettled === 0 ? settledHistories.the(next) : next, moved: [...edits.keys()] };
}

/** What a batch says of each of its names when all of it is accepted; undefined for those that it takes away. One entry for all streams. */
const settledIn = memoize((batch: Batch): readonly (Entry | undefined)[] =>
  batch.map(({ name, version }) =>
    version === undefined ? undefined : { name, sent: version, accepted: version, leaving: false },
  ),
);

const isSettled = ({ sent, accepted, refused, leaving }: Entry): boolean =>
  sent === accepted && refused === undefined && !leaving;

const unsettledIn = (entry: Entry | undefined): number => (entry === undefined || isSettled(entry) ? 0 : 1);

const hashIn = (entry: Entry | undefined): number =>
  entry !== undefined && isSettled(entry) ? hashOf(entry.sent, hashOf(entry.name)) : 0;

const isSame = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.sent === b.sent &&
    a.accepted === b.accepted &&
    a.refused === b.refused &&
    a.leaving === b.leaving);
