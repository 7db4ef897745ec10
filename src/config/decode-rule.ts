import { type Decoder, decode, object, parsed, required, stringMap, text, withDefault } from "../base/decode.ts";
import type { JsonPointer } from "../base/json-pointer.ts";
import type { TextDocument } from "../base/yaml-document.ts";
import { dnsLabel, dnsSubdomain } from "./fields.ts";
import type { Finding, Place } from "./finding.ts";
import { type AnyRule, type RuleKey, type RuleKind, ruleKey } from "./rule.ts";
import { lookUpKind, ruleKinds } from "./rule-kinds.ts";
import type { RuleDocument } from "./rule-set.ts";
import { findingsOf, placeOf, type Source, textFinding } from "./text-findings.ts";

/** What one document of a text says. */
export interface DecodedDocument {
  readonly document: RuleDocument;
  /**
   * Which rule the document is: `key`; none, because it is no rule of ours; or unclear, because what says it is broken.
   */
  readonly identity: { readonly kind: "rule"; readonly key: RuleKey } | { readonly kind: "none" | "unclear" };
  /** Only when the document has no errors. */
  readonly rule?: AnyRule;
  readonly locate: (pointer: JsonPointer) => Place;
}

export const defaultNamespace = "default";

const timestamp = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function parseTimestamp(value: string): number | undefined {
  const ms = timestamp.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

const nameFields = { name: required(dnsSubdomain), namespace: withDefault(dnsLabel, defaultNamespace) };

const metadata = object(
  {
    ...nameFields,
    labels: withDefault(stringMap, {}),
    creationTimestamp: withDefault(parsed(parseTimestamp, "a time such as 2026-11-01T12:00:00Z"), 0),
  },
  {
    ignored: [
      "annotations",
      "deletionGracePeriodSeconds",
      "deletionTimestamp",
      "finalizers",
      "generateName",
      "generation",
      "managedFields",
      "ownerReferences",
      "resourceVersion",
      "selfLink",
      "uid",
    ],
  },
);

/** The whole of a document, for each kind. */
const documents = Object.fromEntries(
  Object.entries(ruleKinds).map(([kind, spec]) => [kind, documentOf(spec)]),
) as Readonly<Record<RuleKind, ReturnType<typeof documentOf>>>;

function documentOf(spec: Decoder<unknown>) {
  return object({ metadata: required(metadata), spec: required(spec) }, { ignored: ["apiVersion", "kind", "status"] });
}

const typeMeta = object({ apiVersion: required(text()), kind: required(text()) }, { open: true });

const identityFields = object({ metadata: required(object(nameFields, { open: true })) }, { open: true });

/** Decodes one document; never throws. */
export function decodeRule(text: TextDocument, file: string): DecodedDocument {
  const source: Source = { text, file };
  if (text.problems.length > 0) {
    return refused(
      source,
      { kind: "unclear" },
      text.problems.map((problem) => textFinding(problem, file)),
    );
  }
  const type = decode(typeMeta, text.value);
  if (!type.ok) return refused(source, { kind: "unclear" }, findingsOf(type.problems, source));
  const lookup = lookUpKind(type.value.apiVersion, type.value.kind);
  if (lookup.known) return decodeKnown(lookup.kind, source);
  const { code, pointer, message, hint, misspelt } = lookup;
  const place = placeOf(source, pointer);
  const finding: Finding = { severity: "error", code, message, ...(hint !== undefined && { hint }), ...place };
  return refused(source, { kind: misspelt ? "unclear" : "none" }, [finding]);
}

function decodeKnown(kind: RuleKind, source: Source): DecodedDocument {
  const { value } = source.text;
  const identity = decode(identityFields, value);
  const document = decode(documents[kind], value);
  const findings = findingsOf(document.problems, source);
  if (!identity.ok) return refused(source, { kind: "unclear" }, findings);
  const { name, namespace } = identity.value.metadata;
  const key = ruleKey(kind, namespace, name);
  if (!document.ok) return refused(source, { kind: "rule", key }, findings, namespace);
  const { labels, creationTimestamp } = document.value.metadata;
  // The table of documents pairs each kind with the decoder of its spec, which the compiler cannot follow.
  const rule = {
    key,
    kind,
    namespace,
    name,
    labels,
    createdAt: creationTimestamp,
    spec: document.value.spec,
  } as AnyRule;
  return {
    document: { ...heading(source, namespace), verdict: findings.length > 0 ? "warned" : "valid", findings },
    identity: { kind: "rule", key },
    rule,
    locate: (pointer) => placeOf(source, pointer),
  };
}

function refused(
  source: Source,
  identity: DecodedDocument["identity"],
  findings: readonly Finding[],
  namespace?: string,
): DecodedDocument {
  return {
    document: { ...heading(source, namespace), verdict: "refused", findings },
    identity,
    locate: (pointer) => placeOf(source, pointer),
  };
}

/** Kind and name as far as they can be read. */
function heading({ text: { value, start }, file }: Source, namespace?: string) {
  const metadata = field(value, "metadata");
  return {
    kind: textOf(field(value, "kind")),
    namespace: namespace ?? textOf(field(metadata, "namespace")),
    name: textOf(field(metadata, "name")),
    file,
    line: start.line,
  };
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, 253) : "");
