import { compareText } from "../base/compare-text.ts";
import { memoize } from "../base/memo.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import type { Finding } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "./rule-set.ts";

/**
 * The rules of several sources as one rule set, given the one before. Sources are in the order in which they count: a key belongs to
 * the first that has a document or a rule of it, valid or not; documents of that key in later sources are refused. The same
 * sources give the same object, and what did not change is the same in it.
 */
export function combineRuleSets(previous: RuleSet, sources: readonly RuleSet[]): RuleSet {
  const before = sourcesOf.get(previous);
  if (before !== undefined && isSameList(before, sources)) return previous;
  const documents = keepList(previous.documents, combinedDocuments(sources));
  const rules = keepMap(previous.rules, combinedRules(sources));
  const isSame = documents === previous.documents && rules === previous.rules;
  const next: RuleSet = Object.freeze({
    // Fields may move to other lines without any change of a rule.
    revision: previous.revision + (isSame ? 0 : 1),
    rules,
    documents,
    locate: (key, pointer) => ownerOf(sources, key)?.locate(key, pointer) ?? { pointer },
    dataOf: (key) => ownerOf(sources, key)?.dataOf(key),
  } satisfies RuleSet);
  sourcesOf.set(next, sources);
  return next;
}

/** The same for rule sets that change. */
export function followRuleSets(sources: readonly Signal<RuleSet>[]): {
  readonly ruleSet: Signal<RuleSet>;
  readonly close: () => void;
} {
  const present = () => sources.map(({ value }) => value);
  const ruleSet = createSignal(combineRuleSets(emptyRuleSet, present()));
  const closes = sources.map((source) =>
    source.subscribe(() => ruleSet.set(combineRuleSets(ruleSet.value, present()))),
  );
  const close = () => {
    for (const unsubscribe of closes) unsubscribe();
  };
  return { ruleSet, close };
}

const sourcesOf = new WeakMap<RuleSet, readonly RuleSet[]>();

const ownerOf = (sources: readonly RuleSet[], key: RuleKey): RuleSet | undefined =>
  sources.find((source) => hasKey(source, key));

const hasKey = (source: RuleSet, key: RuleKey): boolean => keysOf([source])(key);

/** Is the key one of theirs? Looked up once for many keys. */
function keysOf(sources: readonly RuleSet[]): (key: RuleKey) => boolean {
  const lookups = sources.flatMap(({ rules, documents }) => [rules, byKey(documents)]);
  return (key) => lookups.some((lookup) => lookup.has(key));
}

/** A key as far as a document says it; the first document of each. */
const byKey = memoize((documents: readonly RuleDocument[]): ReadonlyMap<string, RuleDocument> => {
  const keyed = new Map<string, RuleDocument>();
  for (const document of documents) {
    const key = keyOf(document);
    if (!keyed.has(key)) keyed.set(key, document);
  }
  return keyed;
});

const keyOf = ({ kind, namespace, name }: RuleDocument): RuleKey => `${kind}/${namespace}/${name}` as RuleKey;

function combinedRules(sources: readonly RuleSet[]): readonly AnyRule[] {
  const [first, ...rest] = sources.filter(({ rules }) => rules.size > 0);
  if (first === undefined) return [];
  const own = (source: RuleSet): readonly AnyRule[] => {
    const isOwned = keysOf(sources.slice(0, sources.indexOf(source)));
    return [...source.rules.values()].filter(({ key }) => !isOwned(key));
  };
  const rules = [first, ...rest].flatMap(own);
  return rest.length === 0 ? rules : rules.sort((a, b) => compareText(a.key, b.key));
}

function combinedDocuments(sources: readonly RuleSet[]): readonly RuleDocument[] {
  return sources.flatMap((source, index) => {
    const earlier = sources.slice(0, index).filter(({ documents, rules }) => documents.length + rules.size > 0);
    if (earlier.length === 0) return source.documents;
    const isOwned = keysOf(earlier);
    return source.documents.map((document) => {
      const key = keyOf(document);
      const owner = isOwned(key) ? ownerOf(earlier, key) : undefined;
      return owner === undefined ? document : refused(document, source, owner);
    });
  });
}

/** Remembered, so that a document that stays refused stays the same object. */
const refused = memoize((document: RuleDocument, source: RuleSet, owner: RuleSet): RuleDocument => {
  const key = keyOf(document);
  return refusedFor(document, placeOf(owner, key), JSON.stringify(source.locate(key, "/metadata/name")));
});

const refusedFor = memoize((document: RuleDocument, where: string, at: string): RuleDocument => {
  const { file, line } = document;
  const finding: Finding = {
    severity: "error",
    code: "rule/managed-elsewhere",
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
    ...(JSON.parse(at) as Pick<Finding, "pointer">),
    message: `${keyOf(document)} is managed elsewhere, in ${where}; that document counts.`,
    hint: "Change the rule there, and delete this one; or remove it there, then this one counts.",
  };
  return { ...document, verdict: "refused", findings: [finding, ...document.findings] };
});

function placeOf({ documents, locate }: RuleSet, key: RuleKey): string {
  const { file, line } = byKey(documents).get(key) ?? locate(key, "");
  if (file === undefined) return "another source";
  return line === undefined ? file : `${file}:${line}`;
}

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => Object.is(item, b[index]));

const keepList = <T>(before: readonly T[], next: readonly T[]): readonly T[] =>
  isSameList(before, next) ? before : next;

const keepMap = (before: RuleSet["rules"], next: readonly AnyRule[]): RuleSet["rules"] =>
  isSameList([...before.values()], next) ? before : new Map(next.map((rule) => [rule.key, rule]));
