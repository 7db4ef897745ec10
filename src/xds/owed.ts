import type { Resource } from "../envoy/resource-set.ts";
import { byName, difference, noNames, type ResourceMap } from "./resource-map.ts";
import type { TypeState } from "./stream-state.ts";
import { covers } from "./subscription.ts";

/** What one type of a stream lacks to be up to date. */
export interface Owed {
  /** New, changed or asked for; each once, by name. */
  readonly resources: readonly Resource[];
  /** Held by the proxy, and gone. */
  readonly removed: readonly string[];
  /** Asked for, and not there. */
  readonly absent: readonly string[];
  /** Asked for, or gone, and about to come (back): the answer waits. */
  readonly pending: ReadonlySet<string>;
}

/** `offered` is what may be sent now, `target` what will be. */
export function owedTo(state: TypeState, offered: ResourceMap, target: ResourceMap): Owed {
  const { subscription, held, asked } = state;
  if (subscription === undefined) return { resources: [], removed: [], absent: [], pending: noNames };
  const { changed, removed } = difference(held, offered);
  const covered = (name: string): boolean => covers(subscription, name);
  const wanted = asked.size === 0 ? [] : [...asked].filter(covered);
  const missing = wanted.filter((name) => !offered.has(name));
  const gone = removed.filter(covered);
  const pending = [...missing, ...gone].filter((name) => target.has(name));
  return {
    resources: withAsked(
      subscription.wildcard ? changed : changed.filter(({ name }) => covered(name)),
      wanted.flatMap((name) => offered.get(name) ?? []),
    ),
    removed: gone.filter((name) => !target.has(name)),
    absent: missing.filter((name) => !target.has(name)),
    pending: pending.length === 0 ? noNames : new Set(pending),
  };
}

/** The union, in the order of names: equal content must make equal bytes on every stream. */
function withAsked(changed: readonly Resource[], asked: readonly Resource[]): readonly Resource[] {
  if (asked.length === 0) return changed;
  const all = new Map([...changed, ...asked].map((resource) => [resource.name, resource]));
  return [...all.values()].sort(byName);
}
