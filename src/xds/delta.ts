import { memoize } from "../base/memo.ts";
import type { DeltaRequest } from "../envoy/discovery-request.ts";
import type { ResourceType } from "../envoy/resource-types.ts";
import { type Dialect, emptyContent, emptyResource, type Outgoing, onlyPending } from "./dialect.ts";
import { type Owed, owedTo } from "./owed.ts";
import { resume } from "./push-plan.ts";
import { noResources, type VersionMap } from "./resource-map.ts";
import { step } from "./stream.ts";
import type { StreamEffect, StreamEvent, StreamState, TypeState } from "./stream-state.ts";
import { asksForEverything, deltaSubscription, type Subscription } from "./subscription.ts";

/**
 * The incremental variant: a request changes the subscription, a response carries what changed and names what is gone. The
 * first request of a type may list what the proxy holds from an earlier stream.
 */
const delta: Dialect<DeltaRequest> = {
  variant: "delta",

  subscribe(state, { subscribe, unsubscribe, knownVersions }) {
    const { type, subscription: before } = state;
    const subscription = deltaSubscription(type, before, { subscribe, unsubscribe });
    const isFirst = before === undefined;
    const known = isFirst && type.resumable ? knownVersions : nothingKnown;
    const again = before?.wildcard === true && asksForEverything(subscribe);
    const asked = namesAsked(state.asked, subscription, subscribe, unsubscribe, known, before);
    return {
      ...state,
      subscription,
      asked: again ? asked.union(state.held) : asked,
      held: isFirst ? versionMap(known) : heldUnder(state, before, subscription),
      due: state.due || (subscription.wildcard && (before?.wildcard !== true || again)),
      resuming: state.resuming || (isFirst && knownVersions.size > 0),
    };
  },

  resumePlan: (plan, { type, subscription, held }) => resume(plan, type, subscription, held),

  compose: (state, offered, target, broken, traits) =>
    answer(
      owedTo(state, offered, target, broken),
      state.type,
      state.due,
      traits.noRemovals.has(state.type.short),
      traits.ttl.delta,
    ),
};

/** One object for all who are owed the same. */
const answer = memoize((owed: Owed, type: ResourceType, due: boolean, noRemovals: boolean, ttl: boolean): Outgoing => {
  const { resources, pending, ...gone } = owed;
  const { delta: way } = type.absent;
  const absent = new Set(gone.absent);
  const isSilent = way === "silent" || noRemovals;
  // What is gone and was asked for again is answered once.
  const removed = isSilent ? [] : gone.removed.filter((name) => !absent.has(name));
  if (way === "removed" && !isSilent) removed.push(...absent);
  const bodiless = way === "bodiless" ? gone.absent : [];
  const empty = way === "empty" ? gone.absent.map((name) => emptyResource(type, name)) : [];
  if (!due && resources.length + removed.length + bodiless.length + empty.length === 0) return onlyPending(pending);
  return {
    kind: "send",
    pending,
    content: {
      ...emptyContent,
      resources: [...resources, ...empty],
      removed: removed.sort(),
      bodiless,
      ttl,
    },
    renewed: resources,
    isDivisible: true,
  };
});

/** Remembered: streams in one state that hear of one event are in one state again. */
export const stepDelta = memoize(
  (state: StreamState, event: StreamEvent<DeltaRequest>): readonly [StreamState, readonly StreamEffect[]] =>
    step(delta, state, event),
);

/** What is to be answered after a request, whatever the proxy is believed to hold. */
const namesAsked = memoize(
  (
    asked: ReadonlySet<string>,
    subscription: Subscription,
    subscribe: readonly string[],
    unsubscribe: readonly string[],
    known: ReadonlyMap<string, string>,
    before: Subscription | undefined,
  ): ReadonlySet<string> => {
    const news = [
      ...subscribe.filter((name) => subscription.names.has(name) && !known.has(name)),
      // A wildcard goes on covering what is unsubscribed by name, or not: the proxy cannot know and must be told.
      ...unsubscribe.filter((name) => before?.names.has(name)),
    ];
    const all = news.length === 0 ? asked : new Set([...asked, ...news]);
    return subscription.wildcard || all.isSubsetOf(subscription.names) ? all : all.intersection(subscription.names);
  },
);

const nothingKnown: ReadonlyMap<string, string> = new Map();

const versionMap = memoize(
  (versions: ReadonlyMap<string, string>): VersionMap =>
    versions.size === 0 ? noResources : new Map([...versions].map(([name, version]) => [name, { version }])),
);

/** A wildcard that comes later finds only what was subscribed to by name. */
const heldUnder = ({ held }: TypeState, before: Subscription, after: Subscription): VersionMap =>
  after.wildcard && !before.wildcard ? new Map([...held].filter(([name]) => before.names.has(name))) : held;
