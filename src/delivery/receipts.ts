import { resourceType, type TypeName } from "../envoy/resource-types.ts";
import { suspectsOf } from "./suspects.ts";

/** Name and version of a resource in a response; no version: it was announced as removed, or as not there. */
export interface SentResource {
  readonly name: string;
  readonly version?: string;
  /** It was announced by an error of its own. */
  readonly error?: true;
}

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

/** Do both say the same of every version? Times and reasons may differ. */
const standsAlike = (a: ResourceReceipts, b: ResourceReceipts): boolean =>
  a.sent?.version === b.sent?.version &&
  a.accepted?.version === b.accepted?.version &&
  a.refused?.version === b.refused?.version &&
  a.refused?.suspect === b.refused?.suspect &&
  a.leaving === b.leaving;

interface Response {
  readonly resources: readonly SentResource[];
  /** Names whose version the proxy had not accepted when it was sent. */
  readonly changed: readonly string[];
}

/** Responses whose answers are still told apart; a proxy that never answers must not make the record grow. */
const maxUnanswered = 8;

/** What one stream said about one type. */
export interface TypeReceipts {
  readonly resources: () => Iterable<ResourceReceipts>;
  readonly resource: (name: string) => ResourceReceipts | undefined;
  readonly lastAckAtMs: () => number | undefined;
  readonly sent: (nonce: string, resources: readonly SentResource[], atMs: number) => void;
  /** The names that changed by it; undefined for an answer to nothing that is known. */
  readonly accepted: (nonce: string, atMs: number) => readonly string[] | undefined;
  /** The suspects; undefined for an answer to nothing that is known. */
  readonly refused: (nonce: string, reason: string, atMs: number) => readonly string[] | undefined;
  readonly resumed: (resources: readonly SentResource[], atMs: number) => void;
  readonly dropped: (names: readonly string[]) => void;
}

/** `onMove` hears of each name whose versions, refusal or leaving are not what they were. */
export function createTypeReceipts(
  type: TypeName,
  variant: "sotw" | "delta",
  onMove: (name: string) => void = () => {},
): TypeReceipts {
  const wholeSet = variant === "sotw" && resourceType(type).fullState;
  const resources = new Map<string, ResourceReceipts>();
  const unanswered = new Map<string, Response>();
  let lastAckAtMs: number | undefined;

  const update = (name: string, change: (before: ResourceReceipts) => ResourceReceipts): void => {
    const before = resources.get(name);
    const after = change(before ?? { name, leaving: false });
    resources.set(name, after);
    if (before === undefined || !standsAlike(before, after)) onMove(name);
  };

  const remove = (name: string): void => {
    if (resources.delete(name)) onMove(name);
  };

  /** Answers come in order: what was sent before the answered response is not going to be answered. */
  const take = (nonce: string): Response | undefined => {
    const response = unanswered.get(nonce);
    if (response === undefined) return undefined;
    for (const earlier of unanswered.keys()) {
      unanswered.delete(earlier);
      if (earlier === nonce) break;
    }
    return response;
  };

  return {
    resources: () => resources.values(),
    resource: (name) => resources.get(name),
    lastAckAtMs: () => lastAckAtMs,

    sent(nonce, list, atMs) {
      const present = new Set(list.map(({ name }) => name));
      const absent = wholeSet ? [...resources.keys()].filter((name) => !present.has(name)) : [];
      const response = [...list, ...absent.map((name) => ({ name }))];
      const changed = response
        .filter(({ name, version }: SentResource) => resources.get(name)?.accepted?.version !== version)
        .map(({ name }) => name);
      unanswered.set(nonce, { resources: response, changed });
      for (const oldest of unanswered.keys()) {
        if (unanswered.size <= maxUnanswered) break;
        unanswered.delete(oldest);
      }
      for (const { name, version } of response as readonly SentResource[]) {
        if (version !== undefined) update(name, (before) => ({ ...before, sent: { version, atMs }, leaving: false }));
        else if (resources.has(name)) update(name, (before) => ({ ...before, leaving: true }));
      }
    },

    accepted(nonce, atMs) {
      const response = take(nonce);
      if (response === undefined) return undefined;
      lastAckAtMs = atMs;
      for (const { name, version } of response.resources) {
        if (version === undefined) {
          if (resources.get(name)?.leaving === true) remove(name);
        } else if (resources.has(name)) {
          update(name, ({ refused: _, ...before }) => ({ ...before, accepted: { version, atMs } }));
        }
      }
      return response.changed;
    },

    refused(nonce, reason, atMs) {
      const response = take(nonce);
      if (response === undefined) return undefined;
      const names = response.resources.map(({ name }) => name);
      const suspects = new Set(suspectsOf(reason, names, response.changed));
      for (const { name, version } of response.resources) {
        if (version === undefined || !resources.has(name)) continue;
        const refused: Refusal = { version, atMs, reason, suspect: suspects.has(name) };
        update(name, (before) => ({ ...before, refused }));
      }
      return [...suspects];
    },

    resumed(list, atMs) {
      for (const { name, version } of list) {
        if (version !== undefined) update(name, (before) => ({ ...before, accepted: { version, atMs } }));
      }
    },

    dropped(names) {
      for (const name of names) remove(name);
    },
  };
}
