import { compareText } from "../../base/compare-text.ts";
import { memoize } from "../../base/memo.ts";
import { type Hostname, isWildcard, parseHostname } from "../../model/hostname.ts";
import type { AnyRule, Rule, RuleKey, RuleKind } from "../rule.ts";
import { referencesOf } from "./references.ts";

type Rules = ReadonlyMap<RuleKey, AnyRule>;
/** What becomes of each rule that changes; undefined: it goes. */
type Changes = ReadonlyMap<RuleKey, AnyRule | undefined>;
type ByHost<R> = ReadonlyMap<Hostname, readonly R[]>;

/** The rules that say what hosts and subsets there are, by their hosts; those of a host in the order of their keys. */
export interface Providers {
  readonly entries: ByHost<Rule<"ServiceEntry">>;
  readonly destinationRules: ByHost<Rule<"DestinationRule">>;
  /** Those hosts of `destinationRules` that are wildcards, sorted. */
  readonly wildcards: readonly Hostname[];
}

/** The hosts of a ServiceEntry that are host names. */
export const entryHosts: (rule: Rule<"ServiceEntry">) => readonly Hostname[] = memoize((rule) => [
  ...new Set(rule.spec.hosts.flatMap((text) => parseHostname(text) ?? [])),
]);

/** Whom a DestinationRule speaks of. */
export function destinationRuleHost(rule: Rule<"DestinationRule">, domain: string): Hostname | undefined {
  const [reference] = referencesOf(rule, domain);
  return reference?.target.kind === "host" ? reference.target.host : undefined;
}

/** By the mesh's domain. */
const remembered = new WeakMap<Rules, Map<string, Providers>>();

/** Of all rules; remembered with their map, which is not to change. */
export function providersOf(rules: Rules, domain: string): Providers {
  const byDomain = remembered.get(rules) ?? new Map<string, Providers>();
  const found = byDomain.get(domain) ?? changeProviders(noProviders, { before: noRules, changed: rules, domain });
  byDomain.set(domain, found);
  remembered.set(rules, byDomain);
  return found;
}

/** Saves `providersOf` the walk over rules that were made by changing others. */
export function carryProviders(before: Rules, after: Rules, changed: Changes): void {
  const byDomain = remembered.get(before);
  if (byDomain === undefined || before === after) return;
  const next = [...byDomain].map(
    ([domain, providers]) => [domain, changeProviders(providers, { before, changed, domain })] as const,
  );
  remembered.set(after, new Map(next));
}

export interface ProvidersChange {
  /** The rules that the providers are of. */
  readonly before: Rules;
  readonly changed: Changes;
  readonly domain: string;
}

/** Those after a change of rules; the same where it has nothing to do with them. */
export function changeProviders(providers: Providers, { before, changed, domain }: ProvidersChange): Providers {
  const versions = [...changed].flatMap(([key, after]) => {
    const previous = before.get(key);
    return previous === after ? [] : [[previous, after] as const];
  });
  const gone = versions.flatMap(([previous]) => previous ?? []);
  const come = versions.flatMap(([, after]) => after ?? []);
  const entries = changeLists(providers.entries, ofKind("ServiceEntry", gone, come), entryHosts);
  const destinationRules = changeLists(
    providers.destinationRules,
    ofKind("DestinationRule", gone, come),
    (rule) => destinationRuleHost(rule, domain) ?? [],
  );
  if (entries === providers.entries && destinationRules === providers.destinationRules) return providers;
  return { entries, destinationRules, wildcards: wildcardsIn(destinationRules) };
}

const noRules: Rules = new Map();
const noProviders: Providers = { entries: new Map(), destinationRules: new Map(), wildcards: [] };

/** Remembered, as ServiceEntries come and go beside them. */
const wildcardsIn = memoize((byHost: ByHost<Rule<"DestinationRule">>) =>
  [...byHost.keys()].filter(isWildcard).sort(compareText),
);

interface Exchange<R> {
  readonly gone: readonly R[];
  readonly come: readonly R[];
}

function ofKind<K extends RuleKind>(kind: K, gone: readonly AnyRule[], come: readonly AnyRule[]): Exchange<Rule<K>> {
  const isOfKind = (rule: AnyRule): rule is AnyRule & Rule<K> => rule.kind === kind;
  return { gone: gone.filter(isOfKind), come: come.filter(isOfKind) };
}

function changeLists<R extends Rule>(
  byHost: ByHost<R>,
  { gone, come }: Exchange<R>,
  hostsOf: (rule: R) => Hostname | readonly Hostname[],
): ByHost<R> {
  if (gone.length + come.length === 0) return byHost;
  const lost = new Set(gone);
  const added = listsOf(come, hostsOf);
  const next = new Map(byHost);
  for (const host of new Set([...listsOf(gone, hostsOf).keys(), ...added.keys()])) {
    const kept = (byHost.get(host) ?? []).filter((rule) => !lost.has(rule));
    const all = [...kept, ...(added.get(host) ?? [])].sort((a, b) => compareText(a.key, b.key));
    if (all.length > 0) next.set(host, all);
    else next.delete(host);
  }
  return next;
}

function listsOf<R>(rules: readonly R[], hostsOf: (rule: R) => Hostname | readonly Hostname[]): ByHost<R> {
  const lists = new Map<Hostname, R[]>();
  for (const rule of rules) {
    for (const host of [hostsOf(rule)].flat()) {
      const list = lists.get(host);
      if (list === undefined) lists.set(host, [rule]);
      else list.push(rule);
    }
  }
  return lists;
}
