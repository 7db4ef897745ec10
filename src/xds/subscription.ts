import { createInterner, hashOfAll } from "../base/intern.ts";
import { memoize } from "../base/memo.ts";
import type { DeltaRequest } from "../envoy/discovery-request.ts";
import type { ResourceType } from "../envoy/resource-types.ts";

/** What a stream asks for, of one type. */
export interface Subscription {
  readonly names: ReadonlySet<string>;
  /** Everything but what is there on demand only; beside `names`, which stay subscribed when the wildcard is dropped. */
  readonly wildcard: boolean;
  /** No name was ever given, `*` included, which is what makes it a wildcard. */
  readonly implicit: boolean;
}

const everything = "*";

export const covers = ({ wildcard, names }: Subscription, name: string, onDemand = false): boolean =>
  (wildcard && !onDemand) || names.has(name);

/** The subscription after a state-of-the-world request, which gives the whole list; `before` is undefined on the first. */
export const sotwSubscription = memoize(
  (type: ResourceType, list: readonly string[], before: Subscription | undefined): Subscription => {
    const named = new Set(list.filter((name) => name !== everything));
    const implicit = type.wildcard && list.length === 0 && (before === undefined || before.implicit);
    const wildcard = implicit || (type.wildcard && list.includes(everything));
    return the({ names: named, wildcard, implicit });
  },
);

/** The subscription after a delta request. A name in both lists ends up unsubscribed. */
export function deltaSubscription(
  type: ResourceType,
  before: Subscription | undefined,
  { subscribe, unsubscribe }: Pick<DeltaRequest, "subscribe" | "unsubscribe">,
): Subscription {
  const silent = subscribe.length === 0 && unsubscribe.length === 0;
  return silent && before !== undefined ? before : changedSubscription(type, subscribe, unsubscribe, before);
}

/** One object for all who ask alike. */
const changedSubscription = memoize(
  (
    type: ResourceType,
    subscribe: readonly string[],
    unsubscribe: readonly string[],
    before: Subscription | undefined,
  ): Subscription => {
    const silent = subscribe.length === 0 && unsubscribe.length === 0;
    const names = new Set(before?.names);
    for (const name of subscribe) if (name !== everything) names.add(name);
    for (const name of unsubscribe) names.delete(name);
    const asked = silent || before?.wildcard === true || subscribe.includes(everything);
    const wildcard = type.wildcard && asked && !unsubscribe.includes(everything);
    return the({ names, wildcard, implicit: silent });
  },
);

/** Does the list ask for the wildcard (again)? */
export const asksForEverything = (list: readonly string[]): boolean => list.includes(everything);

/**
 * Who asks alike has one and the same subscription, so that what follows from it is found once for all: an ACK repeats it, and clients
 * name the same things in an order of their own.
 */
const { the } = createInterner<Subscription>(
  ({ names, wildcard, implicit }) => `${names.size} ${hashOfAll(names)} ${wildcard} ${implicit}`,
  // All else is in the key as it is.
  (a, b) => a.names.isSubsetOf(b.names),
);
