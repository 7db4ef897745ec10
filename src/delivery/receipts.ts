import { memoize } from "../base/memo.ts";
import { resourceType, type TypeName } from "../envoy/resource-types.ts";
import { createDeliveryTimes, type SentNames } from "./delivery-times.ts";
import {
  acceptedBy,
  asAnswered,
  type Batch,
  droppedBy,
  type Entry,
  type History,
  namesChanged,
  noHistory,
  type Refusal,
  refusedBy,
  resumedBy,
  sentTo,
  type Turn,
} from "./history.ts";
import { type DeliveryStatus, statusOf } from "./resource-state.ts";
import { suspectsOf } from "./suspects.ts";

export interface Receipt {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What is known of one resource on one proxy, and since when. */
export interface ResourceReceipts {
  readonly name: string;
  /** Last sent. Absent for what a reconnected proxy held already. */
  readonly sent?: Receipt;
  readonly accepted?: Receipt;
  /** Since the last acceptance. */
  readonly refused?: Refusal;
  /** Its removal was sent and is not accepted yet. */
  readonly leaving: boolean;
  readonly status: DeliveryStatus;
}

interface Response {
  readonly nonce: string;
  readonly batch: Batch;
  /** Names whose version the proxy had not accepted when it was sent. */
  readonly changed: readonly string[];
}

/** Responses whose answers are still told apart; a proxy that never answers must not make the record grow. */
const maxUnanswered = 8;

/** What one stream said about one type. */
export interface TypeReceipts {
  readonly entry: (name: string) => Entry | undefined;
  /** All entries, in the order of names, with their times. */
  readonly receipts: () => readonly ResourceReceipts[];
  /** What all of it follows from but for the times: streams that share it say the same of every resource. */
  readonly record: () => History;
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
  /** Oldest first. */
  const unanswered: Response[] = [];
  let history = noHistory;
  const times = createDeliveryTimes({ has: (name) => history.entries.has(name), count: () => history.entries.size });
  let lastAckAtMs: number | undefined;

  const take = ({ history: next, moved }: Turn): void => {
    history = next;
    if (moved.length > 0) onMove(moved);
  };

  /** Answers come in order: what was sent before the answered response is not going to be answered. */
  const answered = (nonce: string): Response | undefined => {
    const index = unanswered.findIndex((response) => response.nonce === nonce);
    return unanswered.splice(0, index + 1).at(-1);
  };

  return {
    entry: (name) => history.entries.get(name),
    receipts() {
      const timesOf = times.lookUp();
      return [...history.entries.values()].map((entry) => {
        const { name, sent, accepted, refused, leaving } = entry;
        const { sentMs, acceptedMs = 0 } = timesOf(name);
        return {
          ...{ name, leaving, status: statusOf(entry) },
          ...(sentMs !== undefined && { sent: { version: sent, atMs: sentMs } }),
          ...(accepted !== undefined && { accepted: { version: accepted, atMs: acceptedMs } }),
          ...(refused && { refused }),
        };
      });
    },
    record: () => history,
    lastAckAtMs: () => lastAckAtMs,

    sent(nonce, resources, atMs) {
      const batch = asAnswered(history, resources, wholeSet);
      unanswered.push({ nonce, batch, changed: namesChanged(history, batch) });
      if (unanswered.length > maxUnanswered) unanswered.shift();
      take(sentTo(history, batch));
      times.sent(namesIn(batch), atMs);
    },

    accepted(nonce, atMs) {
      const response = answered(nonce);
      if (response === undefined) return undefined;
      lastAckAtMs = atMs;
      take(acceptedBy(history, response.batch));
      times.accepted(namesIn(response.batch), atMs);
      return response.changed;
    },

    refused(nonce, reason, atMs) {
      const response = answered(nonce);
      if (response === undefined) return undefined;
      const { batch, changed } = response;
      const names = batch.map(({ name }) => name);
      const suspects = new Set(suspectsOf(reason, names, changed));
      take(refusedBy(history, batch, { reason, atMs }, suspects));
      return [...suspects];
    },

    resumed(resources, atMs) {
      take(resumedBy(history, resources));
      times.resumed(atMs);
    },

    dropped: (names) => take(droppedBy(history, names)),
  };
}

/** One list for all streams; what is remembered of a batch goes with it, which is soon, and this stays with the times. */
const namesIn = memoize(
  (batch: Batch): SentNames => batch.flatMap(({ name, version }) => (version === undefined ? [] : [name])),
);
