import { memoize } from "../base/memo.ts";
import { resourceType, type TypeName } from "../envoy/resource-types.ts";
import { createBatchTimes, numberOf, type Times } from "./batch-times.ts";
import {
  acceptedBy,
  asAnswered,
  type Batch,
  droppedBy,
  type Entry,
  type History,
  namesChanged,
  noHistory,
  refusedBy,
  resumedBy,
  sentTo,
  type Turn,
} from "./history.ts";
import { suspectsOf } from "./suspects.ts";

export interface Receipt {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

export interface Refusal extends Receipt {
  /** The proxy's text. */
  readonly reason: string;
  /** To blame, as far as can be told; the others only shared the response with one that is. */
  readonly suspect: boolean;
}

/** What is known of one resource on one proxy. */
export interface ResourceReceipts {
  readonly name: string;
  /** Last sent. Absent for what a reconnected proxy held already. */
  readonly sent?: Receipt;
  readonly accepted?: Receipt;
  /** Since the last acceptance. */
  readonly refused?: Refusal;
  /** Its removal was sent and is not accepted yet. */
  readonly leaving: boolean;
}

export type DeliveryStatus = "pending" | "accepted" | "refused";

/** Where the resource stands in the version last sent. */
export function statusOf({ sent, accepted, refused, leaving }: ResourceReceipts): DeliveryStatus {
  if (refused !== undefined && (sent === undefined || refused.version === sent.version)) return "refused";
  return !leaving && (sent === undefined || accepted?.version === sent.version) ? "accepted" : "pending";
}

interface Response {
  readonly nonce: string;
  readonly batch: Batch;
  /** Names whose version the proxy had not accepted when it was sent. */
  readonly changed: readonly string[];
}

/** Responses whose answers are still told apart; a proxy that never answers must not make the record grow. */
const maxUnanswered = 8;
/** Batches whose times are kept before it is looked which ones are still spoken of. */
const manyBatches = 64;

/** What one stream said about one type. */
export interface TypeReceipts {
  readonly resources: () => Iterable<ResourceReceipts>;
  readonly resource: (name: string) => ResourceReceipts | undefined;
  /** What all of it follows from but for the times: streams that share it say the same of every resource. */
  readonly record: () => object;
  readonly lastAckAtMs: () => number | undefined;
  /** `resources` is kept as it is, not copied; streams that are given the same list share what follows from it. */
  readonly sent: (nonce: string, resources: Batch, atMs: number) => void;
  /** The names that changed by it; undefined for an answer to nothing that is known. */
  readonly accepted: (nonce: string, atMs: number) => readonly string[] | undefined;
  /** The suspects; undefined for an answer to nothing that is known. */
  readonly refused: (nonce: string, reason: string, atMs: number) => readonly string[] | undefined;
  readonly resumed: (resources: Batch, atMs: number) => void;
  readonly dropped: (names: readonly string[]) => void;
}

/** `onMove` hears of the names whose versions, refusal or leaving are not what they were. */
export function createTypeReceipts(
  type: TypeName,
  variant: "sotw" | "delta",
  onMove: (names: readonly string[]) => void = () => {},
): TypeReceipts {
  const wholeSet = variant === "sotw" && resourceType(type).fullState;
  const times = createBatchTimes();
  /** Oldest first. */
  const unanswered: Response[] = [];
  let history = noHistory;
  let lastAckAtMs: number | undefined;
  let pruneAt = manyBatches;

  const take = ({ history: next, moved }: Turn): void => {
    history = next;
    if (moved.length > 0) onMove(moved);
  };

  const note = (batch: Batch, what: keyof Times, atMs: number): void => {
    times.note(batch, what, atMs);
    if (times.size() <= pruneAt) return;
    const waiting = new Set([batch, ...unanswered.map((response) => response.batch)].map(numberOf));
    const inUse = batchesIn(history);
    times.keepOnly((number) => inUse.has(number) || waiting.has(number));
    pruneAt = Math.max(manyBatches, 2 * times.size());
  };

  /** Answers come in order: what was sent before the answered response is not going to be answered. */
  const answered = (nonce: string): Response | undefined => {
    const index = unanswered.findIndex((response) => response.nonce === nonce);
    return unanswered.splice(0, index + 1).at(-1);
  };

  const receiptsOf = ({ name, sent, accepted, refused, leaving }: Entry): ResourceReceipts => ({
    name,
    leaving,
    ...(sent && { sent: { version: sent.version, atMs: times.of(sent.batch)?.sentMs ?? 0 } }),
    ...(accepted && { accepted: { version: accepted.version, atMs: times.of(accepted.batch)?.acceptedMs ?? 0 } }),
    ...(refused && {
      refused: {
        ...{ version: refused.version, atMs: times.of(refused.batch)?.refusedMs ?? 0 },
        ...{ reason: refused.reason, suspect: refused.suspect },
      },
    }),
  });

  return {
    resources: () => history.values().map(receiptsOf),
    resource: (name) => {
      const entry = history.get(name);
      return entry && receiptsOf(entry);
    },
    record: () => history,
    lastAckAtMs: () => lastAckAtMs,

    sent(nonce, resources, atMs) {
      const batch = asAnswered(history, resources, wholeSet);
      unanswered.push({ nonce, batch, changed: namesChanged(history, batch) });
      if (unanswered.length > maxUnanswered) unanswered.shift();
      take(sentTo(history, batch));
      note(batch, "sentMs", atMs);
    },

    accepted(nonce, atMs) {
      const response = answered(nonce);
      if (response === undefined) return undefined;
      lastAckAtMs = atMs;
      take(acceptedBy(history, response.batch));
      note(response.batch, "acceptedMs", atMs);
      return response.changed;
    },

    refused(nonce, reason, atMs) {
      const response = answered(nonce);
      if (response === undefined) return undefined;
      const { batch, changed } = response;
      const names = batch.map(({ name }) => name);
      const suspects = new Set(suspectsOf(reason, names, changed));
      take(refusedBy(history, batch, reason, suspects));
      note(batch, "refusedMs", atMs);
      return [...suspects];
    },

    resumed(resources, atMs) {
      take(resumedBy(history, resources));
      note(resources, "acceptedMs", atMs);
    },

    dropped: (names) => take(droppedBy(history, names)),
  };
}

/** The numbers of the batches that a history speaks of; one set for all streams that share it. */
const batchesIn = memoize((history: History): ReadonlySet<number> => {
  const batches = new Set<number>();
  for (const { sent, accepted, refused } of history.values()) {
    for (const said of [sent, accepted, refused]) if (said !== undefined) batches.add(numberOf(said.batch));
  }
  return batches;
});
