import { memoize } from "../base/memo.ts";
import { OrderedMap } from "../base/ordered-map.ts";

/** Name and version of a resource in a response; no version: it was announced as removed, or as not there. */
export interface SentResource {
  readonly name: string;
  readonly version?: string;
  /** It was announced by an error of its own. */
  readonly error?: true;
}

/** What went out in one response, or was listed as held. Its identity stands for the occasion: each stream knows when it was. */
export type Batch = readonly SentResource[];

/** A version, and the occasion on which it was sent or accepted. */
export interface Said {
  readonly version: string;
  readonly batch: Batch;
}

export interface SaidNo extends Said {
  /** The proxy's text. */
  readonly reason: string;
  readonly suspect: boolean;
}

/** What is known of one resource on one stream, but for times. */
export interface Entry {
  readonly name: string;
  readonly sent?: Said;
  readonly accepted?: Said;
  readonly refused?: SaidNo;
  readonly leaving: boolean;
}

/**
 * All that a stream was sent of one type, and what it said. It holds no times, and the next one follows from the one before and
 * from what happened: so streams with the same past share one history, as large as it may be.
 */
export type History = OrderedMap<string, Entry>;

/** A history and the names of which it says something else than the one before. */
export interface Turn {
  readonly history: History;
  readonly moved: readonly string[];
}

/**
 * What a batch says of each of its names when all of it is accepted: one entry for all streams, whatever else they were sent. It is
 * what nearly every history consists of; `undefined` for names that the batch takes away.
 */
const deliveriesOf = memoize((batch: Batch): readonly (Entry | undefined)[] =>
  batch.map(({ name, version }) => {
    if (version === undefined) return undefined;
    const said = { version, batch };
    return { name, sent: said, accepted: said, leaving: false };
  }),
);

export const noHistory: History = OrderedMap.of();

/** The response as it is to be answered: with the names that are absent from it, where absence is removal. */
export const asAnswered = memoize((history: History, batch: Batch, wholeSet: boolean): Batch => {
  if (!wholeSet) return batch;
  const present = new Set(batch.map(({ name }) => name));
  const absent = [...history.keys()].filter((name) => !present.has(name));
  return absent.length === 0 ? batch : [...batch, ...absent.map((name) => ({ name }))];
});

/** The names whose version the proxy has not accepted. */
export const namesChanged = memoize((history: History, batch: Batch): readonly string[] =>
  batch.filter(({ name, version }) => history.get(name)?.accepted?.version !== version).map(({ name }) => name),
);

export const sentTo = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, ({ name }, before, delivery) => {
      if (delivery?.sent !== undefined) return { ...(before ?? { name }), sent: delivery.sent, leaving: false };
      return before && { ...before, leaving: true };
    }),
);

export const acceptedBy = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, (_, before, delivery) => {
      if (before === undefined) return undefined;
      if (delivery?.accepted === undefined) return before.leaving ? undefined : before;
      if (before.sent === delivery.sent && !before.leaving) return delivery;
      const { refused, ...rest } = before;
      return { ...rest, accepted: delivery.accepted };
    }),
);

/** It holds these from an earlier stream. */
export const resumedBy = memoize(
  (history: History, batch: Batch): Turn =>
    turn(history, batch, ({ name }, before, delivery) => {
      const entry = before ?? { name, leaving: false };
      return delivery?.accepted === undefined ? entry : { ...entry, accepted: delivery.accepted };
    }),
);

/** `suspects`: names that are probably at fault. Not shared: texts differ. */
export const refusedBy = (history: History, batch: Batch, reason: string, suspects: ReadonlySet<string>): Turn =>
  turn(history, batch, ({ name, version }, before) => {
    if (before === undefined || version === undefined) return before;
    return { ...before, refused: { version, batch, reason, suspect: suspects.has(name) } };
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
  change: (one: SentResource, before: Entry | undefined, delivery: Entry | undefined) => Entry | undefined,
): Turn {
  const deliveries = deliveriesOf(batch);
  const edits = new Map<string, Entry | undefined>();
  const moved: string[] = [];
  for (const [index, one] of batch.entries()) {
    const before = edits.has(one.name) ? edits.get(one.name) : history.get(one.name);
    const after = change(one, before, deliveries[index]);
    if (after === before) continue;
    edits.set(one.name, after);
    if (!standsAlike(before, after)) moved.push(one.name);
  }
  return { history: history.with(edits), moved };
}

/** Do both say the same of every version? Occasions and reasons may differ. */
const standsAlike = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.sent?.version === b.sent?.version &&
  a.accepted?.version === b.accepted?.version &&
  a.refused?.version === b.refused?.version &&
  a.refused?.suspect === b.refused?.suspect &&
  a.leaving === b.leaving;
