import type { Signal } from "../base/signal.ts";
import type { Labels } from "../model/labels.ts";
import type { RuleKey, RuleKind } from "./rule.ts";
import type { RuleSet } from "./rule-set.ts";

export type DocumentFormat = "yaml" | "json";

/** Who may change a document: this store's own clients, or whoever edits the files of a directory. */
export type DocumentOwner = "store" | "directory";

/** Who did something, and when. */
export interface Stamp {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The name of a token, or of what acted by itself. */
  readonly by: string;
}

/** Where a document's text came from, as its author named it. */
export interface DocumentSource {
  readonly file: string;
  /** Of the document's first line, counted from 1. */
  readonly line: number;
}

/** One version of a rule's document: as its author wrote it, and what the store knows of it. Immutable. */
export interface StoredDocument {
  readonly key: RuleKey;
  readonly kind: RuleKind;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly owner: DocumentOwner;
  /** Of the rule from its creation to its deletion. */
  readonly uid: string;
  /** Counts changes of what the document means; 1 when it is new. Comments and layout do not count. */
  readonly generation: number;
  /** The revision that wrote this version. */
  readonly revision: number;
  readonly created: Stamp;
  readonly updated: Stamp;
  readonly source?: DocumentSource;
  readonly format: DocumentFormat;
  /** As written, comments and all. */
  readonly text: string;
  /** The same as compact JSON: the author's document and nothing else. */
  readonly json: string;
}

/** What the writer believes to be there; a write that finds something else changes nothing. */
export type Expectation =
  | { readonly kind: "any" }
  /** No such rule. */
  | { readonly kind: "absent" }
  /** There is one, in whatever version. */
  | { readonly kind: "present" }
  /** The version that this revision wrote. */
  | { readonly kind: "revision"; readonly revision: number }
  /** Whatever it was at this revision, it is still. */
  | { readonly kind: "unchanged-since"; readonly revision: number };

export interface DocumentPut {
  readonly kind: RuleKind;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly format: DocumentFormat;
  readonly text: string;
  readonly json: string;
  readonly source?: DocumentSource;
  readonly expect: Expectation;
}

export interface DocumentDelete {
  readonly key: RuleKey;
  readonly expect: Expectation;
}

/** Several documents that change together: all of them or none, as one revision. Each key at most once. */
export interface RuleChange {
  readonly puts: readonly DocumentPut[];
  readonly deletes: readonly DocumentDelete[];
  readonly by: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly idempotency?: Idempotency;
}

/** Makes it safe to send a change again: a second one of the same `by` with this key is answered as the first one was. */
export interface Idempotency {
  /** At most 255 characters. */
  readonly key: string;
  /** Of what the change wants: two changes with one key and different digests are a mistake. */
  readonly digest: string;
  /** Kept with the answer, and given back with it. */
  readonly note?: string;
}

export interface DocumentResult {
  readonly key: RuleKey;
  /** `unchanged`: the very text was there already; or what was to be deleted is not there. */
  readonly action: "created" | "configured" | "unchanged" | "deleted";
  /** As it is now; for `deleted` as it last was; absent for a deletion that found nothing. */
  readonly document?: StoredDocument;
}

/** A change on the disk. `revision`: the new one, or the present one when nothing changed. */
export interface WrittenChange {
  readonly kind: "written";
  readonly revision: number;
  /** In the order of puts, then deletes. */
  readonly results: readonly DocumentResult[];
  /** Of its idempotency key. */
  readonly note?: string;
}

export interface DocumentConflict {
  readonly key: RuleKey;
  readonly expected: Expectation;
  /** What is there instead; absent: nothing. */
  readonly found?: StoredDocument;
}

export type ChangeOutcome =
  | WrittenChange
  | { readonly kind: "conflict"; readonly conflicts: readonly DocumentConflict[] }
  /** The idempotency key was that of another change. */
  | { readonly kind: "key-reused" };

/**
 * What a revision did to the one document of a key that everybody sees: the directory's, where both owners have one. What happens
 * to a document that is not seen is no event.
 */
export interface DocumentEvent {
  readonly kind: "added" | "modified" | "deleted";
  readonly revision: number;
  /** Counts the events of one revision, from 1. */
  readonly index: number;
  /** Deleted: as it last was. Modified: an older version where the other owner's document is seen again. */
  readonly document: StoredDocument;
}

/** Where rules are kept that are written through Fairway, and the journal of all rules, whoever owns them. */
export interface RuleStore {
  /** The last revision; 0 for an empty store. */
  readonly revision: () => number;
  /** The present version of a document; the directory's, where both owners have one. */
  readonly get: (key: RuleKey) => StoredDocument | undefined;
  /** The document of this key that the store's own clients wrote. */
  readonly own: (key: RuleKey) => StoredDocument | undefined;
  /** All present documents in the order of their keys; the directory's, where both owners have one. Same array until something changes. */
  readonly documents: () => readonly StoredDocument[];
  /** The rules of the documents that the store itself owns. */
  readonly ruleSet: Signal<RuleSet>;
  /** Compare and set. Checks nothing but the expectations: see `prepareChange`. */
  readonly write: (change: RuleChange) => Promise<ChangeOutcome>;
  /** What `write` would do now; nothing is changed. */
  readonly preview: (change: RuleChange) => Promise<ChangeOutcome>;
  /** What was answered to this key; undefined: nothing yet. */
  readonly outcomeOf: (by: string, idempotency: Idempotency) => Promise<ChangeOutcome | undefined>;
  /** Writes down what the directories hold now, as one revision where that differs from what was known. Rejects when it cannot. */
  readonly record: (puts: readonly Omit<DocumentPut, "expect">[]) => Promise<void>;
  /** All events after this one, in order; `gone` when they are not remembered any more. `index` 0: all of that revision too. */
  readonly eventsAfter: (position: EventPosition) => readonly DocumentEvent[] | "gone";
  /** Hears of each revision's events, together, in order. */
  readonly subscribe: (listener: (events: readonly DocumentEvent[]) => void) => () => void;
  readonly close: () => Promise<void>;
}

/** Of an event; `{revision, index: Infinity}` is the end of that revision. */
export interface EventPosition {
  readonly revision: number;
  readonly index: number;
}
