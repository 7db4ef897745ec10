import type { JsonPointer } from "../base/json-pointer.ts";

export type Severity = "error" | "warning";

/** Where a finding is: always a pointer, and file, line and column when the rule came from text. */
export interface Place {
  readonly pointer: JsonPointer;
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** Counted from 1. */
  readonly column?: number;
}

/** One problem in a rule, told to the person who wrote it. */
export interface Finding extends Place {
  readonly severity: Severity;
  /** Stable and documented in docs/errors.md, for example `rule/unknown-field`. */
  readonly code: FindingCode;
  /** What was found and what was expected. */
  readonly message: string;
  /** What to do; the nearest known name where there is one. */
  readonly hint?: string;
}

/** The closed list of codes; docs/errors.md explains each. */
export const findingCodes = [
  "text/invalid-yaml",
  "text/too-large",
  "text/unreadable",
  "text/duplicate-key",
  "rule/unknown-kind",
  "rule/unsupported-kind",
  "rule/missing-field",
  "rule/unknown-field",
  "rule/unsupported-field",
  "rule/unsupported-value",
  "rule/invalid-type",
  "rule/invalid-value",
  "rule/invalid-regex",
  "rule/conflict",
  "rule/duplicate-document",
  "rule/managed-elsewhere",
  "rule/dropped-field",
  "rule/unknown-host",
  "rule/unknown-subset",
  "rule/unknown-gateway",
  "rule/empty-subset",
  "rule/host-is-alias",
  "rule/port-without-address",
  "rule/still-referenced",
  "rule/wrong-place",
  "catalog/invalid",
  "catalog/held",
  "catalog/outdated",
  "compile/failed",
] as const;

export type FindingCode = (typeof findingCodes)[number];
