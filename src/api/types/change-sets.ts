import type { RuleFindingView } from "./findings.ts";
import type { RuleObjectView } from "./rules.ts";

/* Rules that change, and who hears of it. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

/** What a change did, or, with `dryRun`, would do. */
export interface ChangeSetView {
  /** The revision that it made; the present one when nothing changed or nothing was stored. */
  readonly revision: number;
  readonly dryRun: boolean;
  /** In the order of the documents, then of the deletions. */
  readonly results: readonly ChangeResultView[];
}

export interface ChangeResultView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly action: "created" | "configured" | "unchanged" | "deleted";
  readonly generation?: number;
  /** Warnings. */
  readonly findings: readonly RuleFindingView[];
}

/** The body of `POST /api/v1/changesets` as JSON. */
export interface ChangeSetBody {
  readonly documents?: readonly ChangeDocument[];
  readonly deletes?: readonly RuleReference[];
}

/** A document as text (YAML or JSON; several documents where the text has several) or as an object. */
export type ChangeDocument =
  | { readonly text: string; readonly file?: string; readonly line?: number }
  | { readonly object: object; readonly file?: string; readonly line?: number };

export interface RuleReference {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One event of a watch; a BOOKMARK only moves the position. */
export interface WatchEventView {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly revision: number;
  readonly object?: RuleObjectView;
}
