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
    return unlessEqual(before, { names: named, wildcard, implicit });
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
    return unlessEqual(before, { names, wildcard, implicit: silent });
  },
);

/** Does the list ask for the wildcard (again)? */
export const asksForEverything = (list: readonly string[]): boolean => list.includes(everything);

/** An ACK repeats the subscription: the same object then, so that who watches it sees that nothing changed. */
function unlessEqual(before: Subscription | undefined, after: Subscription): Subscription {
  const equal =
    before !== undefined &&
    before.wildcard === after.wildcard &&
    before.implicit === after.implicit &&
    before.names.size === after.names.size &&
    before.names.isSubsetOf(after.names);
  return equal ? before : after;
}
