import { memoize } from "../base/memo.ts";
import { perType, type ResourceType, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import { type PushPlan, startPlan } from "./push-plan.ts";
import type { VersionMap } from "./resource-map.ts";
import { newRetries } from "./retries.ts";
import { newStream, newTypeState, type StreamState, type TypeState } from "./stream-state.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Streams that have the same and wait for nothing are in one and the same state, whatever the order in which they got there: the next
 * step, which is remembered by state and event, is then made once for all of them. Any other state is given back as it is.
 */
export function atRest(state: StreamState): StreamState {
  const { types, plan, traits, only, past, room, timers, unknownTypes } = state;
  if (plan === undefined || past !== undefined || !room || timers.size + unknownTypes.size > 0) return state;
  if (!isThere(plan) || !resourceTypes.every(({ short }) => isQuiet(types[short]))) return state;
  const resting = resourceTypes.map((type) =>
    restingType(type, types[type.short].held, types[type.short].subscription),
  );
  return restingState(plan.target, traits, plan.users, only, ...resting);
}

/** All of the target is on offer, and nothing of it waits for anything. */
const isThere = ({ target, ready, offered, unconfirmed, gated, leaving }: PushPlan): boolean =>
  !gated &&
  ready === target &&
  Object.keys(leaving).length === 0 &&
  resourceTypes.every(({ short }) => offered[short] === target.resources[short] && unconfirmed[short].size === 0);

const isQuiet = ({ asked, refused, sending, unanswered, retries, ...state }: TypeState): boolean =>
  [asked, refused].every(({ size }) => size === 0) &&
  [sending, unanswered, retries.groups].every(({ length }) => length === 0) &&
  !(state.due || state.resuming || state.heartbeat || state.partial || state.awaited) &&
  retries.left === newRetries.left;

const restingType = memoize(
  (type: ResourceType, held: VersionMap, subscription: Subscription | undefined): TypeState => ({
    ...newTypeState(type),
    ...{ held, subscription },
  }),
);

const restingState = memoize(
  (
    target: PushPlan["target"],
    traits: StreamState["traits"],
    users: PushPlan["users"],
    only: TypeName | undefined,
    ...types: readonly TypeState[]
  ): StreamState => ({
    ...newStream(only),
    ...{ plan: startPlan(target, users), traits },
    types: perType((type) => types.find((one) => one.type === type) ?? newTypeState(type)),
  }),
);
