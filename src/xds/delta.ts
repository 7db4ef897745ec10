import type { DeltaRequest } from "../envoy/discovery-request.ts";
import { type Dialect, emptyContent, emptyResource, onlyPending } from "./dialect.ts";
import { owedTo } from "./owed.ts";
import { resume } from "./push-plan.ts";
import type { VersionMap } from "./resource-map.ts";
import { step } from "./stream.ts";
import type { StreamEffect, StreamEvent, StreamState, TypeState } from "./stream-state.ts";
import { asksForEverything, deltaSubscription, type Subscription } from "./subscription.ts";

/**
 * The incremental variant: a request changes the subscription, a response carries what changed and names what is gone. The
 * first request of a type may list what the proxy holds from an earlier stream.
 */
const delta: Dialect<DeltaRequest> = {
  variant: "delta",

  subscribe(state, request) {
    const { type, subscription: before } = state;
    const subscription = deltaSubscription(type, before, request);
    const isFirst = before === undefined;
    const known = isFirst && type.resumable ? request.knownVersions : new Map<string, string>();
    const again = before?.wildcard === true && asksForEverything(request.subscribe);
    const asked = [
      ...request.subscribe.filter((name) => subscription.names.has(name) && !known.has(name)),
      // A wildcard goes on covering what is unsubscribed by name, or not: the proxy cannot know and must be told.
      ...request.unsubscribe.filter((name) => before?.names.has(name)),
      ...(again ? state.held.keys() : []),
    ];
    return {
      ...state,
      subscription,
      asked: stillAsked(new Set([...state.asked, ...asked]), subscription),
      held: isFirst ? versionMap(known) : heldUnder(state, before, subscription),
      due: state.due || (subscription.wildcard && (before?.wildcard !== true || again)),
      resuming: state.resuming || (isFirst && request.knownVersions.size > 0),
    };
  },

  resumePlan: (plan, { type, subscription, held }) => resume(plan, type, subscription, held),

  compose(state, offered, target, broken, traits) {
    const { resources, pending, ...gone } = owedTo(state, offered, target, broken);
    const answer = state.type.absent.delta;
    const absent = new Set(gone.absent);
    const isSilent = answer === "silent" || traits.noRemovals.has(state.type.short);
    // What is gone and was asked for again is answered once.
    const removed = isSilent ? [] : gone.removed.filter((name) => !absent.has(name));
    if (answer === "removed" && !isSilent) removed.push(...absent);
    const bodiless = answer === "bodiless" ? gone.absent : [];
    const empty = answer === "empty" ? gone.absent.map((name) => emptyResource(state.type, name)) : [];
    return state.due || resources.length + removed.length + bodiless.length + empty.length > 0
      ? {
          kind: "send",
          pending,
          content: {
            ...emptyContent,
            resources: [...resources, ...empty],
            removed: removed.sort(),
            bodiless,
            ttl: traits.ttl.delta,
          },
          renewed: resources,
          isDivisible: true,
        }
      : onlyPending(pending);
  },
};

export const stepDelta = (
  state: StreamState,
  event: StreamEvent<DeltaRequest>,
): readonly [StreamState, readonly StreamEffect[]] => step(delta, state, event);

/** Under a wildcard also what was unsubscribed by name is still to be answered. */
const stillAsked = (asked: ReadonlySet<string>, { wildcard, names }: Subscription): ReadonlySet<string> =>
  wildcard ? asked : asked.intersection(names);

const versionMap = (versions: ReadonlyMap<string, string>): VersionMap =>
  new Map([...versions].map(([name, version]) => [name, { version }]));

/** A wildcard that comes later finds only what was subscribed to by name. */
const heldUnder = ({ held }: TypeState, before: Subscription, after: Subscription): VersionMap =>
  after.wildcard && !before.wildcard ? new Map([...held].filter(([name]) => before.names.has(name))) : held;
