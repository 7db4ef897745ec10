import { memoize } from "../base/memo.ts";
import type { FilterChain, Listener } from "../envoy/listener-messages.ts";
import { type ChainCondition, criteria, type RankedCondition } from "./chain-criteria.ts";
import { quoted, Unsupported } from "./condition.ts";
import { type Connection, type ConnectionFacts, connectionFacts } from "./connection.ts";

/** A filter chain of a listener, by its place. */
export interface FoundChain {
  readonly index: number;
  readonly chain: FilterChain;
}

/** What becomes of a connection in a listener. */
export type ChainOutcome =
  /** `conditions`: all that it asks for, and found. */
  | (FoundChain & { readonly kind: "chain"; readonly conditions: readonly ChainCondition[] })
  /** The one for what no other takes. */
  | { readonly kind: "default"; readonly chain: FilterChain }
  /** It is closed. */
  | { readonly kind: "none" };

/** A filter chain that was not taken, and what was in its way, in the words of a condition. */
export interface ChainMiss extends FoundChain, Pick<ChainCondition, "text" | "pointer"> {
  /**
   * It asked for what is not so, or another one that fits as well fitted one criterion more closely. Where that one then fails at a
   * later criterion, Envoy does not come back.
   */
  readonly kind: "unmet" | "outdone";
  readonly found: string;
}

export interface ChainDecision {
  readonly facts: ConnectionFacts;
  readonly outcome: ChainOutcome;
  /** All chains but the one that was taken and the default one, in their order. */
  readonly misses: readonly ChainMiss[];
}

interface Candidate extends FoundChain {
  /** What it asks for at each criterion; undefined: nothing. */
  readonly asked: readonly (RankedCondition | undefined)[];
}

const candidatesOf = memoize(({ filterChains, filterChainMatcher }: Listener): readonly Candidate[] => {
  if (filterChainMatcher !== undefined) throw new Unsupported("a tree of filter chain matchers", "/filterChainMatcher");
  return filterChains.map((chain, index) => {
    const { filterChainMatch: match } = chain;
    return { index, chain, asked: criteria.map((one) => (match === undefined ? undefined : one.conditionOf(match))) };
  });
});

interface Narrowed {
  readonly closest: readonly Candidate[];
  readonly lost: readonly ChainMiss[];
}

/**
 * As Envoy chooses: by one criterion after the other, each leaving those that fit it most closely. Throws `Unsupported`, and a
 * `RangeError` where an address is none.
 */
export function chooseChain(listener: Listener, connection: Connection): ChainDecision {
  const facts = connectionFacts(connection);
  const misses: ChainMiss[] = [];
  let left = candidatesOf(listener);
  for (const step of criteria.keys()) {
    const { closest, lost } = narrowed(left, step, facts);
    misses.push(...lost);
    left = closest;
  }
  misses.sort((a, b) => a.index - b.index);
  return { facts, outcome: outcomeOf(listener, left), misses };
}

/** Envoy refuses listeners in which more than one could be left. */
function outcomeOf({ defaultFilterChain }: Listener, [found]: readonly Candidate[]): ChainOutcome {
  if (found !== undefined) {
    const { index, chain, asked } = found;
    return { kind: "chain", index, chain, conditions: asked.filter((one) => one !== undefined) };
  }
  return defaultFilterChain === undefined ? { kind: "none" } : { kind: "default", chain: defaultFilterChain };
}

function narrowed(left: readonly Candidate[], step: number, facts: ConnectionFacts): Narrowed {
  const ranked = left.map((candidate) => {
    const asked = candidate.asked[step];
    return { candidate, asked, closeness: asked === undefined ? 0 : asked.closeness(facts) };
  });
  const best = Math.max(...ranked.map(({ closeness = -1 }) => closeness));
  const closest = ranked.filter(({ closeness }) => closeness === best).map(({ candidate }) => candidate);
  if (best === 0) checkCertain(closest, step);
  const lost = ranked.flatMap(({ candidate, asked, closeness }): readonly ChainMiss[] => {
    if (asked !== undefined && closeness === undefined) return [unmet(candidate, asked, facts)];
    const [first] = closest;
    return first === undefined || closeness === best ? [] : [outdone(candidate, first, step)];
  });
  return { closest, lost };
}

/** Where one asks for all addresses and another for none, Envoy takes the one or the other, by where they lie in its memory. */
function checkCertain(closest: readonly Candidate[], step: number): void {
  if (criteria[step]?.ofRanges === undefined) return;
  const { true: silent = [], false: wide = [] } = Object.groupBy(
    closest,
    ({ asked }) => `${asked[step] === undefined}`,
  );
  const pointer = `/filterChains/${wide[0]?.index}/filterChainMatch/${criteria[step].field}`;
  if (silent.length > 0 && wide.length > 0) {
    throw new Unsupported("a range of all addresses beside no range, of which Envoy takes either,", pointer);
  }
}

const unmet = ({ index, chain }: Candidate, asked: RankedCondition, facts: ConnectionFacts): ChainMiss => ({
  ...{ kind: "unmet", index, chain },
  ...{ text: asked.text, pointer: asked.pointer, found: asked.found(facts) },
});

/** `by`: fits more closely, so that it asks for something. */
function outdone({ index, chain }: Candidate, by: Candidate, step: number): ChainMiss {
  const { name = "", field = "" } = criteria[step] ?? {};
  return {
    ...{ kind: "outdone", index, chain },
    text: `none fits more closely by ${name}`,
    pointer: `/filterChainMatch/${field}`,
    found: `${nameOf(by)} does: ${by.asked[step]?.text}`,
  };
}

const nameOf = ({ index, chain }: FoundChain): string =>
  chain.name === "" ? `the filter chain ${index}` : `the filter chain ${quoted(chain.name)}`;
