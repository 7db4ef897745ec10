import { type Decoder, decode, fail, mapOf, parsed, refined, schemaOf, stringMap, text } from "../base/decode.ts";
import { object, required, withDefault } from "../base/decode-object.ts";
import type { JsonPointer } from "../base/json-pointer.ts";
import type { JsonSchema } from "../base/json-schema.ts";
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
  /** The document as plain data, with a rule only. */
  readonly data?: unknown;
  readonly locate: (pointer: JsonPointer) => Place;
}

export const defaultNamespace = "default";

const timestamp =
  /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$/;

function parseTimestamp(value: string): number | undefined {
  const day = value.slice(0, 10);
  const ms = Date.parse(value);
  // Date.parse takes the 30th of February for the 2nd of March.
  return !Number.isNaN(ms) && new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? ms : undefined;
}

const creationTimestamp = parsed(parseTimestamp, "a time such as 2026-11-01T12:00:00Z", {
  pattern: timestamp,
  format: "date-time",
});

/** Of all annotations together, in UTF-16 units: Kubernetes' bound, which counts bytes. */
const maxAnnotations = 256 * 1024;

const annotations = refined(
  mapOf(text({ minLength: 0, maxLength: maxAnnotations, multiline: true }), { name: text({ maxLength: 317 }) }),
  (given, site) => {
    const size = Object.entries(given).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    if (size <= maxAnnotations) return;
    const message = `The annotations have ${size} characters together; ${maxAnnotations} is the most.`;
    fail(site, "invalid-value", message, "Shorten or remove the longest ones.");
  },
);

const nameFields = { name: required(dnsSubdomain), namespace: withDefault(dnsLabel, defaultNamespace) };

/** What is ignored is Kubernetes' and ours to say: it comes with a rule that was read, and may be sent back with it. */
const metadata = object(
  {
    ...nameFields,
    labels: withDefault(stringMap, {}),
    annotations: withDefault(annotations, {}),
    creationTimestamp: withDefault(creationTimestamp, 0),
  },
  {
    ignored: [
      "createdAt",
      "createdBy",
      "deletionGracePeriodSeconds",
      "deletionTimestamp",
      "finalizers",
      "generateName",
      "generation",
      "appliedFrom",
      "managedBy",
      "managedFields",
      "ownerReferences",
      "resourceVersion",
      "revision",
      "selfLink",
      "uid",
      "updatedAt",
      "updatedBy",
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

/** What a document of the kind may be; of its `apiVersion` and `kind` it says nothing. */
export const documentSchema = (kind: RuleKind): JsonSchema => schemaOf(documents[kind]);

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
    data: value,
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
