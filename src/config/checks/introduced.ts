import type { JsonPointer } from "../../base/json-pointer.ts";
import type { Catalog } from "../../model/catalog.ts";
import { type Hostname, hostsOverlap, isWildcard, isWithin } from "../../model/hostname.ts";
import type { MeshSettings } from "../../model/mesh-settings.ts";
import type { AnyRule, RuleKey, RuleKind } from "../rule.ts";
import { danglingReferences, danglingRemark, isMissing, type Remark } from "./dangling.ts";
import { knownOf, type RuleLookup } from "./known.ts";
import { changeProviders, destinationRuleHost, entryHosts, providersOf } from "./providers.ts";
import { type Reference, referencesOf, subsetTarget, type Target, type TargetOf } from "./references.ts";
import { remarksOn } from "./remarks.ts";

/** A change of some of the rules in force. */
export interface RulesChange {
  readonly before: ReadonlyMap<RuleKey, AnyRule>;
  /** What becomes of each rule that changes; undefined: it goes. */
  readonly changed: ReadonlyMap<RuleKey, AnyRule | undefined>;
  /** undefined: not known yet; then hosts are not checked. */
  readonly catalog: Catalog | undefined;
  readonly mesh: MeshSettings;
}

/** What the change is to be told for, at one of its rules. */
export interface Consequence extends Remark {
  readonly rule: RuleKey;
  /** `dangles`: because of the change a reference leads nowhere that did not before. */
  readonly kind: "dangles" | "remark";
}

/**
 * What changes for references: those of the changed rules that lead nowhere, and those of other rules to what the change takes
 * away. What dangled before is only remarked on, and only at rules that change. Costs a pass over all rules only where a change takes
 * something away.
 */
export function consequencesOf(change: RulesChange): readonly Consequence[] {
  const { before, changed, catalog, mesh } = change;
  const after = overlay(before, changed);
  const { domain } = mesh;
  const providers = providersOf(before, domain);
  const knownBefore = knownOf(before, providers, catalog);
  const knownAfter = knownOf(after, changeProviders(providers, { before, changed, domain }), catalog);
  const ofWritten: Consequence[] = [];
  for (const [key, rule] of changed) {
    if (rule === undefined) continue;
    const previous = before.get(key);
    const dangled = lazily(
      () => new Set(previous && danglingReferences(previous, knownBefore, domain).map(({ target }) => target.label)),
    );
    for (const reference of danglingReferences(rule, knownAfter, domain)) {
      const kind = dangled().has(reference.target.label) ? "remark" : "dangles";
      ofWritten.push({ ...danglingRemark(reference, knownAfter, ofWritten.length), rule: key, kind });
    }
    for (const remark of remarksOn(rule, knownAfter, domain)) ofWritten.push({ ...remark, rule: key, kind: "remark" });
  }
  const losses = lossesOf(change);
  const isLost = (target: Target) => isMissing(target, knownAfter) && !isMissing(target, knownBefore);
  return [...ofWritten, ...(losses.length === 0 ? [] : stillReferenced(losses, { after, change, isLost }))];
}

/** Something that a changed rule provided, and does not any more. Others may still provide it. */
interface Loss {
  readonly provider: RuleKey;
  /** In the provider as it is after the change. */
  readonly pointer: JsonPointer;
  readonly target: Target;
}

function lossesOf({ before, changed, mesh: { domain } }: RulesChange): readonly Loss[] {
  return [...changed].flatMap(([key, after]) => {
    const previous = before.get(key);
    return previous === undefined ? [] : lossesOfRule(previous, after, domain);
  });
}

function lossesOfRule(before: AnyRule, after: AnyRule | undefined, domain: string): readonly Loss[] {
  const provider = before.key;
  const now = new Set(after === undefined ? [] : provisionsOf(after, domain).map(({ target }) => target.label));
  return provisionsOf(before, domain)
    .filter(({ target }) => !now.has(target.label))
    .map(({ target, pointer }) => ({ provider, target, pointer: after === undefined ? "" : pointer }));
}

/** Kinds of rules that others may refer to, or to what they provide. */
export const providerKinds: ReadonlySet<string> = new Set<RuleKind>(["Gateway", "ServiceEntry", "DestinationRule"]);

/** What a rule gives others to refer to: only those of `providerKinds` give anything. */
function provisionsOf(rule: AnyRule, domain: string): readonly Reference[] {
  const { key, kind, namespace, name, spec } = rule;
  if (kind === "Gateway")
    return [{ pointer: "", target: { kind: "gateway", gateway: key, namespace, name, label: key } }];
  if (kind === "ServiceEntry") {
    return entryHosts(rule).map((host) => ({
      pointer: "/spec/hosts",
      target: { kind: "host", host, written: host, label: `the host ${host}` },
    }));
  }
  const host = kind === "DestinationRule" ? destinationRuleHost(rule, domain) : undefined;
  if (kind !== "DestinationRule" || host === undefined) return [];
  return spec.subsets.map((subset) => ({ pointer: "/spec/subsets", target: subsetTarget(host, subset.name) }));
}

interface LossContext {
  readonly after: RuleLookup;
  readonly change: RulesChange;
  readonly isLost: (target: Target) => boolean;
}

function stillReferenced(losses: readonly Loss[], { after, change, isLost }: LossContext): readonly Consequence[] {
  const causesOf = causeFinder(losses);
  const referrers = new Map<Loss, Map<string, Set<RuleKey>>>();
  for (const rule of after.values()) {
    // Rules of the change itself are told where they point to.
    if (change.changed.has(rule.key)) continue;
    for (const { target } of referencesOf(rule, change.mesh.domain)) {
      const causes = causesOf(target);
      if (causes.length === 0 || !isLost(target)) continue;
      for (const cause of causes) {
        const ofCause = getOrAdd(referrers, cause, () => new Map<string, Set<RuleKey>>());
        getOrAdd(ofCause, target.label, () => new Set<RuleKey>()).add(rule.key);
      }
    }
  }
  return [...referrers].flatMap(([{ provider, pointer }, byTarget]) =>
    [...byTarget].map(
      ([label, keys]): Consequence => ({
        rule: provider,
        kind: "dangles",
        pointer,
        code: "rule/still-referenced",
        message: `${listOf([...keys])} ${keys.size === 1 ? "refers" : "refer"} to ${label}, which this change takes away.`,
        hint: "Change what refers to it first, or in the same change.",
      }),
    ),
  );
}

/** Which losses a reference may have to do with. */
function causeFinder(losses: readonly Loss[]): (target: Target) => readonly Loss[] {
  const exact = Map.groupBy(losses, ({ target }) => target.label);
  const hosts = losses.filter(({ target }) => target.kind === "host");
  const wildSubsets = losses.filter(({ target }) => target.kind === "subset" && isWildcard(target.host));
  return (target) => {
    const same = exact.get(target.label) ?? none;
    if (target.kind === "subset" && wildSubsets.length > 0) {
      const wider = wildSubsets.filter(({ target: lost }) => covers(lost, target));
      return [...same, ...wider.filter((loss) => !same.includes(loss))];
    }
    // A wildcard may have lost the only host that it covered.
    return target.kind === "host" && target.host !== undefined && isWildcard(target.host)
      ? hosts.filter(({ target: lost }) => isCovered(lost, target.host))
      : same;
  };
}

const none: readonly Loss[] = Object.freeze([]);

const covers = (lost: Target, target: TargetOf<"subset">): boolean =>
  lost.kind === "subset" && lost.subset === target.subset && isWithin(target.host, lost.host);

const isCovered = (lost: Target, wildcard: Hostname | undefined): boolean =>
  lost.kind === "host" && lost.host !== undefined && wildcard !== undefined && hostsOverlap(lost.host, wildcard);

/** At most this many rules are named; the others are counted. */
const maxNamed = 5;

function listOf(names: readonly string[]): string {
  const more = names.length - maxNamed;
  if (more > 0) return `${names.slice(0, maxNamed).join(", ")} and ${more} more`;
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The rules after a change. */
const overlay = (before: RulesChange["before"], changed: RulesChange["changed"]): RuleLookup => ({
  has: (key) => (changed.has(key) ? changed.get(key) !== undefined : before.has(key)),
  *values() {
    for (const rule of before.values()) if (!changed.has(rule.key)) yield rule;
    for (const rule of changed.values()) if (rule !== undefined) yield rule;
  },
});

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
