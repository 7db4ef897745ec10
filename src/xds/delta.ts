import type { DeltaRequest } from "../envoy/discovery-request.ts";
import { owedTo } from "./owed.ts";
import { restricted, type VersionMap } from "./resource-map.ts";
import { type Dialect, step } from "./stream.ts";
import type { StreamEffect, StreamEvent, StreamState, TypeState } from "./stream-state.ts";
import { asksForEverything, deltaSubscription, type Subscription } from "./subscription.ts";

/**
 * The incremental variant: a request changes the subscription, a response carries what changed and names what is gone. The
 * first request of a type may list what the proxy holds from an earlier stream.
 */
const delta: Dialect<DeltaRequest> = {
  subscribe(state, request) {
    const { type, subscription: before } = state;
    const subscription = deltaSubscription(type, before, request);
    const known = before === undefined && type.resumable ? request.knownVersions : new Map<string, string>();
    const again = before?.wildcard === true && asksForEverything(request.subscribe);
    const asked = [
      ...request.subscribe.filter((name) => subscription.names.has(name) && !known.has(name)),
      // The wildcard goes on covering what is unsubscribed by name, or not: the proxy cannot know and must be told.
      ...(subscription.wildcard ? request.unsubscribe.filter((name) => before?.names.has(name)) : []),
      ...(again ? state.held.keys() : []),
    ];
    return {
      ...state,
      subscription,
      asked: asked.length === 0 ? state.asked : new Set([...state.asked, ...asked]),
      held: before === undefined ? versionMap(known) : heldUnder(state, before, subscription),
      due: state.due || (subscription.wildcard && (before?.wildcard !== true || again)),
      resuming: state.resuming || known.size > 0,
    };
  },

  compose(state, offered, target) {
    const { resources, pending, ...gone } = owedTo(state, offered, target);
    const removed = [...new Set([...gone.removed, ...gone.absent])].sort();
    return state.due || resources.length + removed.length > 0
      ? { kind: "send", pending, resources, removed, renewed: resources }
      : { kind: "nothing", pending };
  },
};

export const stepDelta = (
  state: StreamState,
  event: StreamEvent<DeltaRequest>,
): readonly [StreamState, readonly StreamEffect[]] => step(delta, state, event);

const versionMap = (versions: ReadonlyMap<string, string>): VersionMap =>
  new Map([...versions].map(([name, version]) => [name, { version }]));

/** A wildcard that comes later finds only what was subscribed to by name. */
const heldUnder = ({ held }: TypeState, before: Subscription, after: Subscription): VersionMap =>
  after.wildcard && !before.wildcard ? restricted(held, (name) => before.names.has(name)) : held;
