import { memoize } from "../base/memo.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";
import { covers, type Subscription } from "./subscription.ts";

/** Those with a time to live: hardly any type has one. A virtual host without a body does not exist: no sign of life for it. */
const mortal = memoize((resources: ResourceMap): readonly Resource[] =>
  [...resources.values()].filter(({ type, ttlMs }) => ttlMs !== undefined && type !== "VHDS"),
);

/** What needs signs of life, of all that the client asks for. */
export const heartbeatsOf = (resources: ResourceMap, subscription: Subscription): readonly Resource[] =>
  mortal(resources).filter(({ name, onDemand }) => covers(subscription, name, onDemand));

/** Milliseconds; undefined when nothing has a time to live. */
export function shortestTtl(resources: ResourceMap, subscription: Subscription): number | undefined {
  const times = heartbeatsOf(resources, subscription).flatMap(({ ttlMs }) => ttlMs ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}
