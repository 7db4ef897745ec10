import { memoize } from "../base/memo.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { carryProviders } from "./checks/providers.ts";
import type { Finding } from "./finding.ts";
import type { AnyRule, RuleKey } from "./rule.ts";
import { emptyRuleSet, type RuleDocument, type RuleSet } from "./rule-set.ts";

/**
 * The rules of several sources as one rule set, given the one before. Sources are in the order in which they count: a key belongs to
 * the first that has a document or a rule of it, valid or not; documents of that key in later sources are refused. The same
 * sources give the same object, and what did not change is the same in it.
 */
export function combineRuleSets(previous: RuleSet, sources: readonly RuleSet[]): RuleSet {
  const before = sourcesOf.get(previous) ?? [previous];
  if (isSameList(before, sources)) return previous;
  const documents = keepList(previous.documents, combinedDocuments(sources));
  const changed = changedRules(previous.rules, before, sources);
  const rules = previous.rules.with(changed);
  carryProviders(previous.rules, rules, changed);
  const isSame = documents === previous.documents && rules === previous.rules;
  const next: RuleSet = Object.freeze({
    // Fields may move to other lines without any change of a rule.
    revision: previous.revision + (isSame ? 0 : 1),
    rules,
    documents,
    documentsOf: (key) => documentsIn(sources, key),
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

const hasKey = ({ rules, documentsOf }: RuleSet, key: RuleKey): boolean =>
  rules.has(key) || documentsOf(key).length > 0;

/** A key as far as a document says it. */
const keyOf = ({ kind, namespace, name }: RuleDocument): RuleKey => `${kind}/${namespace}/${name}` as RuleKey;

/** What becomes of the rules before, from sources to other sources; undefined: it goes. */
function changedRules(
  previous: RuleSet["rules"],
  before: readonly RuleSet[],
  sources: readonly RuleSet[],
): ReadonlyMap<RuleKey, AnyRule | undefined> {
  const changed = new Map<RuleKey, AnyRule | undefined>();
  for (let index = 0; index < Math.max(before.length, sources.length); index++) {
    for (const key of concernedKeys(before[index] ?? emptyRuleSet, sources[index] ?? emptyRuleSet)) {
      const rule = ownerOf(sources, key)?.rules.get(key);
      if (rule !== previous.get(key)) changed.set(key, rule);
    }
  }
  return changed;
}

/** Keys with another rule than before, and those that came or went with a document alone. */
const concernedKeys = (before: RuleSet, after: RuleSet): readonly RuleKey[] =>
  before === after
    ? []
    : [
        ...before.rules.changesTo(after.rules).map(({ key }) => key),
        ...refusedKeys(before.documents).symmetricDifference(refusedKeys(after.documents)),
      ];

/** Keys that may have documents without a rule in force. */
const refusedKeys = memoize(
  (documents: readonly RuleDocument[]): ReadonlySet<RuleKey> =>
    new Set(documents.filter(({ verdict }) => verdict === "refused").map(keyOf)),
);

function combinedDocuments(sources: readonly RuleSet[]): readonly RuleDocument[] {
  return sources.flatMap((source, index) => {
    const earlier = sources.slice(0, index);
    if (earlier.every(isEmpty)) return source.documents;
    const names = sharedNames(source, earlier);
    if (names.size + refusedKeys(source.documents).size === 0) return source.documents;
    const mayBeOwned = ({ name, verdict }: RuleDocument) => verdict === "refused" || names.has(name);
    return source.documents.map((document) =>
      mayBeOwned(document) ? ownedDocument(document, source, earlier) : document,
    );
  });
}

const documentsIn = (sources: readonly RuleSet[], key: RuleKey): readonly RuleDocument[] =>
  sources.flatMap((source, index) => {
    const earlier = sources.slice(0, index);
    return source.documentsOf(key).map((document) => ownedDocument(document, source, earlier));
  });

const isEmpty = ({ documents, rules }: RuleSet): boolean => documents.length + rules.size === 0;

/** The names of a source's rules in force whose keys earlier ones have: the others' keys need not be made. */
function sharedNames({ rules }: RuleSet, earlier: readonly RuleSet[]): ReadonlySet<string> {
  const keys = earlier.flatMap((other) => [
    ...sharedKeys(rules, other.rules),
    ...sharedKeys(rules, refusedKeys(other.documents)),
  ]);
  return new Set(keys.flatMap((key) => rules.get(key)?.name ?? []));
}

/** Costs a walk over the smaller one. */
function sharedKeys(a: ReadonlySetLike<RuleKey>, b: ReadonlySetLike<RuleKey>): readonly RuleKey[] {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  const shared: RuleKey[] = [];
  const keys = small.keys();
  for (let next = keys.next(); !next.done; next = keys.next()) if (large.has(next.value)) shared.push(next.value);
  return shared;
}

function ownedDocument(document: RuleDocument, source: RuleSet, earlier: readonly RuleSet[]): RuleDocument {
  const owner = ownerOf(earlier, keyOf(document));
  return owner === undefined ? document : refused(document, source, owner);
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

function placeOf({ documentsOf, locate }: RuleSet, key: RuleKey): string {
  const { file, line } = documentsOf(key)[0] ?? locate(key, "");
  if (file === undefined) return "another source";
  return line === undefined ? file : `${file}:${line}`;
}

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => Object.is(item, b[index]));

const keepList = <T>(before: readonly T[], next: readonly T[]): readonly T[] =>
  isSameList(before, next) ? before : next;
