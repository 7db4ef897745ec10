import { relative } from "node:path";
import { memoize } from "../base/memo.ts";
import { OrderedMap, shareEntries } from "../base/ordered-map.ts";
import type { FileProblem, FileRead, FileText } from "../base/read-files.ts";
import { shareUnchanged } from "../base/share.ts";
import { parseDocuments } from "../base/yaml-document.ts";
import { type DecodedDocument, decodeRule } from "./decode-rule.ts";
import type { Finding } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import type { RuleDocument, RuleSet } from "./rule-set.ts";

/**
 * The rule set after all files were read anew, given the one before. Files are in the order that decides which of two
 * documents with the same key counts. Pass the same `FileText` object for a file that did not change: it is not
 * decoded again then.
 *
 * - A document with errors is listed as refused; the last valid version of its rule stays in force.
 * - Where it cannot be told which rule a broken document is, and where a file cannot be read, all rules that were last
 *   read from there stay in force, unless a document elsewhere has their key now.
 * - A rule whose document is gone is gone.
 * - A second document with the same key is refused.
 */
export function loadRuleSet(previous: RuleSet, files: readonly FileRead[]): RuleSet {
  const sources = files.map((file) => (file.kind === "text" ? decodeFile(file) : unreadable(file)));
  const decoded = sources.flatMap(({ documents }) => documents);
  const owners = ownersOf(decoded);
  const held = heldRules(previous, owners, sources);
  const inForce = [...freshRules(owners), ...held];
  const rules = OrderedMap.of(inForce.map(({ rule }) => [rule.key, rule]));
  const origins = new Map(inForce.map(({ rule, origin }) => [rule.key, origin]));
  const documents = decoded.map((document) => verdictOn(document, owners));
  return nextRuleSet(
    previous,
    shareEntries(previous.rules, rules, shareUnchanged),
    shareUnchanged(previous.documents, documents),
    origins,
  );
}

/** What a rule in force was read from. */
type Origin = Pick<DecodedDocument, "locate" | "data">;

interface InForce {
  readonly rule: AnyRule;
  readonly origin: Origin;
}

interface Source {
  readonly documents: readonly DecodedDocument[];
  /** May this source still contain a rule, unreadable to us, that was last read from `file`? */
  readonly mayHold: (file: string) => boolean;
}

const decodeFile: (file: FileText) => Source = memoize(({ file, text }: FileText) => {
  const documents = parseDocuments(text).map((document) => decodeRule(document, file));
  const isUnclear = documents.some(({ identity }) => identity.kind === "unclear");
  return { documents, mayHold: (other) => isUnclear && other === file };
});

function unreadable({ file, problem, message }: FileProblem): Source {
  const code = problem === "too-large" ? "text/too-large" : "text/unreadable";
  const finding: Finding = { severity: "error", code, pointer: "", file, message, hint: unreadableHints[problem] };
  const document: RuleDocument = { kind: "", namespace: "", name: "", file, verdict: "refused", findings: [finding] };
  return {
    documents: [{ document, identity: { kind: "unclear" }, locate: (pointer) => ({ pointer, file }) }],
    // The path may be that of a directory; and of the files beyond the bound we do not know which they are.
    mayHold: (other) => problem === "too-many" || !relative(file, other).startsWith(".."),
  };
}

const unreadableHints: Readonly<Record<FileProblem["problem"], string>> = {
  missing: "Create it, or leave the path out; to take rules out of force, empty the file instead.",
  unreadable: "Check who may read it.",
  "too-large": "Split it into several files.",
  "too-many": "Put several rules into one file.",
  "not-text": "Save it as UTF-8.",
};

/** A key belongs to the first document that has it, valid or not. */
function ownersOf(documents: readonly DecodedDocument[]): ReadonlyMap<RuleKey, DecodedDocument> {
  const owners = new Map<RuleKey, DecodedDocument>();
  for (const document of documents) {
    const { identity } = document;
    if (identity.kind === "rule" && !owners.has(identity.key)) owners.set(identity.key, document);
  }
  return owners;
}

const freshRules = (owners: ReadonlyMap<RuleKey, DecodedDocument>): readonly InForce[] =>
  [...owners.values()].flatMap((origin) => (origin.rule === undefined ? [] : [{ rule: origin.rule, origin }]));

/** Rules of the set before that stay as they were, because what became of them cannot be used or cannot be read. */
function heldRules(
  previous: RuleSet,
  owners: ReadonlyMap<RuleKey, DecodedDocument>,
  sources: readonly Source[],
): readonly InForce[] {
  const isHeld = (key: RuleKey, { locate }: Origin): boolean => {
    const owner = owners.get(key);
    if (owner !== undefined) return owner.rule === undefined;
    const { file } = locate("");
    return file !== undefined && sources.some(({ mayHold }) => mayHold(file));
  };
  return [...previous.rules.values()].flatMap((rule) => {
    const origin = originIn(previous, rule.key);
    return isHeld(rule.key, origin) ? [{ rule, origin }] : [];
  });
}

function verdictOn(decoded: DecodedDocument, owners: ReadonlyMap<RuleKey, DecodedDocument>): RuleDocument {
  const { document, identity, locate } = decoded;
  const owner = identity.kind === "rule" ? owners.get(identity.key) : undefined;
  if (identity.kind !== "rule" || owner === undefined || owner === decoded) return document;
  const { file = "", line } = owner.document;
  const duplicate: Finding = {
    severity: "error",
    code: "rule/duplicate-document",
    ...locate("/metadata/name"),
    message: `${identity.key} is already there, in ${file}:${line}; that one counts.`,
    hint: "Remove one of the two, or give it another name.",
  };
  return { ...document, verdict: "refused", findings: [duplicate, ...document.findings] };
}

/** Where each rule of a set is from, so that a rule that is held for long does not drag all older sets along. */
const originsOf = new WeakMap<RuleSet, ReadonlyMap<RuleKey, Origin>>();

const originIn = (ruleSet: RuleSet, key: RuleKey): Origin =>
  originsOf.get(ruleSet)?.get(key) ?? {
    locate: (pointer) => ruleSet.locate(key, pointer),
    data: ruleSet.dataOf(key),
  };

const documentsByKey: (documents: RuleSet["documents"]) => ReadonlyMap<string, readonly RuleDocument[]> = memoize(
  (documents) => Map.groupBy(documents, ({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
);

function nextRuleSet(
  previous: RuleSet,
  rules: RuleSet["rules"],
  documents: RuleSet["documents"],
  origins: ReadonlyMap<RuleKey, Origin>,
): RuleSet {
  const isSame = rules === previous.rules && documents === previous.documents;
  if (isSame && [...origins].every(([key, origin]) => originsOf.get(previous)?.get(key) === origin)) return previous;
  // Fields may move to other lines without any change of a rule.
  const next = ruleSetOf(previous.revision + (isSame ? 0 : 1), { rules, documents }, origins);
  originsOf.set(next, origins);
  return next;
}

/** On its own, so that what the functions of a set keep in memory is of this set alone. */
function ruleSetOf(
  revision: number,
  { rules, documents }: Pick<RuleSet, "rules" | "documents">,
  origins: ReadonlyMap<RuleKey, Origin>,
): RuleSet {
  return Object.freeze({
    revision,
    rules,
    documents,
    documentsOf: (key) => documentsByKey(documents).get(key) ?? [],
    locate: (key, pointer) => origins.get(key)?.locate(pointer) ?? { pointer },
    dataOf: (key) => origins.get(key)?.data,
  } satisfies RuleSet);
}
