import type { JsonPointer } from "../../base/json-pointer.ts";
import type { FindingCode } from "../finding.ts";
import type { AnyRule } from "../rule.ts";
import type { Known } from "./known.ts";
import { type Reference, referencesOf, type Target, type TargetOf } from "./references.ts";
import { hintForGateway, isMissingGateway } from "./unknown-gateway.ts";
import { hintForHost, isMissingHost } from "./unknown-host.ts";
import { hintForSubset, isMissingSubset } from "./unknown-subset.ts";

/** What is told of one field of a rule. */
export interface Remark {
  readonly pointer: JsonPointer;
  readonly code: FindingCode;
  readonly message: string;
  readonly hint?: string;
}

interface Check<T> {
  readonly code: FindingCode;
  readonly isMissing: (target: T, known: Known) => boolean;
  readonly message: (target: T) => string;
  /** Looks for what the author may have meant, which takes its time. */
  readonly hint: (target: T, known: Known) => string;
}

const checks: { readonly [K in Target["kind"]]: Check<TargetOf<K>> } = {
  host: {
    code: "rule/unknown-host",
    isMissing: isMissingHost,
    message: ({ written }) => `No service has the host ${written}.`,
    hint: hintForHost,
  },
  subset: {
    code: "rule/unknown-subset",
    isMissing: isMissingSubset,
    message: ({ host, subset }) => `No DestinationRule defines the subset ${subset} of ${host}.`,
    hint: hintForSubset,
  },
  gateway: {
    code: "rule/unknown-gateway",
    isMissing: isMissingGateway,
    message: ({ namespace, name }) => `There is no Gateway ${name} in the namespace ${namespace}.`,
    hint: hintForGateway,
  },
};

// The table pairs each kind of target with its check, which the compiler cannot follow.
const checkOf = ({ kind }: Target): Check<Target> => checks[kind] as Check<Target>;

/** The references of a rule that lead nowhere. */
export const danglingReferences = (rule: AnyRule, known: Known, domain: string): readonly Reference[] =>
  referencesOf(rule, domain).filter(({ target }) => isMissing(target, known));

export const isMissing = (target: Target, known: Known): boolean => checkOf(target).isMissing(target, known);

/** Beyond this many references that lead nowhere, no likeness is looked for: something larger than a slip is going on. */
const maxHints = 100;

/** What is wrong with a reference, in words; `index`: how many others were told before it. */
export function danglingRemark({ pointer, target }: Reference, known: Known, index: number): Remark {
  const { code, message, hint } = checkOf(target);
  return { pointer, code, message: message(target), ...(index < maxHints && { hint: hint(target, known) }) };
}
