/* What is wrong with a rule. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

/** A problem in a rule, with its place: the same shape as `fairway check -o json` prints. */
export interface RuleFindingView {
  readonly code: string;
  readonly severity: "error" | "warning";
  /** JSON pointer into the document. */
  readonly pointer: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly hint?: string;
}

/** A finding together with what it is about; a registry's problems have the kind `Registry` and the registry's name. */
export interface FindingView extends RuleFindingView {
  readonly about: { readonly kind: string; readonly namespace: string; readonly name: string };
}
