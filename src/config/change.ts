import type { Finding } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import type { DocumentFormat, DocumentSource, Expectation, RuleChange } from "./store.ts";

/** Text of one or more documents, as somebody wants them to be. */
export interface ProposedText {
  readonly text: string;
  readonly format: DocumentFormat;
  /** Where the text is from, as its author names it; `line` of its first line. */
  readonly source?: DocumentSource;
  /** The text was made of data: its lines and columns are nobody's. */
  readonly asData?: boolean;
  readonly expect: Expectation;
  /** Which rule it must be, where the request says so elsewhere (a URL); absent parts may be anything. */
  readonly mustBe?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
}

export interface ProposedDelete {
  readonly key: RuleKey;
  readonly expect: Expectation;
}

/** A change before anything about it was checked. */
export interface ProposedChange extends Omit<RuleChange, "puts" | "deletes" | "idempotency"> {
  readonly puts: readonly ProposedText[];
  readonly deletes: readonly ProposedDelete[];
  /** Take it although something that rules refer to is missing afterwards. */
  readonly allowDangling: boolean;
}

/** What is wrong with, or worth saying of, one document of a change. */
export interface DocumentFindings {
  /** Counted over all documents of all texts, then the deletions. */
  readonly index: number;
  /** `Kind/namespace/name` as far as it can be told. */
  readonly rule?: string;
  readonly findings: readonly Finding[];
}

export type ChangedRules = ReadonlyMap<RuleKey, AnyRule | undefined>;

/**
 * - `syntax`: a text is not YAML or JSON at all.
 * - `invalid`: a document has errors.
 * - `managed-elsewhere`: another source owns the rule.
 * - `dangling`: it refers to something that is missing, or takes away what others refer to; `allowDangling` takes it all the same.
 */
export type ChangeRefusal = "syntax" | "invalid" | "managed-elsewhere" | "dangling";

export type PreparedChange =
  | {
      readonly ok: true;
      readonly change: RuleChange;
      /** What becomes of the rules that it touches; undefined: it goes. */
      readonly rules: ChangedRules;
      /** Warnings. */
      readonly findings: readonly DocumentFindings[];
    }
  | { readonly ok: false; readonly refusal: ChangeRefusal; readonly findings: readonly DocumentFindings[] };
