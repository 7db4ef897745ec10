/* The server itself, and what it answers when it cannot do what was asked. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

export interface ReadyView {
  readonly ready: boolean;
  /** Why not, and what else somebody should look after. Whole sentences. */
  readonly reasons: readonly string[];
}

export interface VersionView {
  readonly name: string;
  readonly version: string;
  /** The version of Node.js that runs it. */
  readonly node: string;
}

/** Every error answer, `application/problem+json` (RFC 9457). */
export interface ProblemView {
  /** `urn:fairway:error:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The path that was asked for. */
  readonly instance: string;
  /** Also in the answer's `x-request-id` and in the server's log. */
  readonly requestId: string;
  readonly code: string;
  readonly hint?: string;
  /** Every single problem, where there can be several. */
  readonly errors?: readonly ProblemDetailView[];
}

/** One problem of a request: in a parameter, or in a document of the body. */
export interface ProblemDetailView {
  /** The query parameter or header at fault. */
  readonly parameter?: string;
  /** Stable and documented in docs/errors.md, for example `rule/unknown-field`. */
  readonly code?: string;
  readonly severity?: "error" | "warning";
  /** JSON pointer into the document. */
  readonly pointer?: string;
  readonly message: string;
  readonly hint?: string;
  /** Which rule it is about, as `Kind/namespace/name`, where that can be told. */
  readonly rule?: string;
  /** Which document of the body, counted from 0. */
  readonly document?: number;
  /** Where in the text: of the file that the request names, else of the body. */
  readonly source?: { readonly file?: string; readonly line: number; readonly column: number };
}
