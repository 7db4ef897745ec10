import type { RuleFindingView } from "./findings.ts";
import type { Page } from "./pages.ts";

/* Rules, and how they stand. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

/** What the server adds to a document's metadata; ignored when it is given back. */
export interface RuleMetadataView {
  readonly name: string;
  readonly namespace: string;
  /** Of the rule from its creation to its deletion. */
  readonly uid: string;
  /** Counts changes of what the document means. */
  readonly generation: number;
  /** The revision that wrote this version; of a dry run the one that wrote what is there, 0 for a new rule. */
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
  /** Where its author applied it from, as the author named it. */
  readonly appliedFrom?: { readonly file: string; readonly line: number };
  /** Where to edit it, when not here. */
  readonly managedBy?: ManagerView;
}

/** The files that own a rule. */
export interface ManagerView {
  readonly kind: "directory";
  readonly file?: string;
  readonly line?: number;
}

/** One rule: the author's document with `metadata` completed, and `status`. */
export interface RuleObjectView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: RuleMetadataView & Readonly<Record<string, unknown>>;
  readonly spec: unknown;
  readonly status: RuleStatusView;
}

/** A page of rules. */
export interface RuleListView extends Page<RuleObjectView> {
  /** The revision that the list shows; a watch from here on misses nothing. */
  readonly revision: number;
}

export interface RuleStatusView {
  /** The generation that this status speaks of. */
  readonly observedGeneration: number;
  readonly verdict: "valid" | "warned" | "refused";
  /** Which version of the rule proxies are configured from: this one, its last valid one, or none. */
  readonly inForce: "current" | "previous" | "none";
  /** `Accepted`, then `InForce`. */
  readonly conditions: readonly ConditionView[];
  readonly delivery: RuleDeliveryView;
  readonly findings: readonly RuleFindingView[];
  /** Who refused something that comes from it, the last ones first; at most 20. */
  readonly refusals: readonly RuleRefusalView[];
}

export interface ConditionView {
  readonly type: "Accepted" | "InForce";
  readonly status: "True" | "False" | "Unknown";
  /** One word, for programs. */
  readonly reason: string;
  /** A sentence, for people. */
  readonly message: string;
}

/** Connected proxies by what they said of the resources that the rule gave something to. */
export interface RuleDeliveryView {
  /** Those whose configuration has something of it. */
  readonly targeted: number;
  /** Those that have accepted all of it. */
  readonly acked: number;
  readonly pending: number;
  /** Those that refused some of it. */
  readonly refused: number;
}

export interface RuleRefusalView {
  /** Its `node.id`. */
  readonly proxy: string;
  readonly type: string;
  readonly resource: string;
  /** The proxy's own words. */
  readonly reason: string;
  readonly at: string;
  /** The narrowest part of the rule that holds all it gave to the resource. */
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface RuleView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly verdict: "valid" | "warned" | "refused";
  /** Which version of the rule proxies are configured from: this one, its last valid one, or none. */
  readonly inForce: "current" | "previous" | "none";
  readonly file?: string;
  readonly line?: number;
  readonly findings: readonly RuleFindingView[];
}

export interface RulePlaceView {
  /** `Kind/namespace/name`. */
  readonly rule: string;
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}
