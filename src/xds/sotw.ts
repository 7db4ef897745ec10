import { memoize } from "../base/memo.ts";
import type { SotwRequest } from "../envoy/discovery-request.ts";
import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { ResourceMap } from "../envoy/resource-set.ts";
import type { ResourceType } from "../envoy/resource-types.ts";
import { type Dialect, emptyContent, emptyResource, type Outgoing, onlyPending } from "./dialect.ts";
import { type Owed, owedTo } from "./owed.ts";
import { continuePlan } from "./push-plan.ts";
import { isLeftOver } from "./resource-map.ts";
import { step } from "./stream.ts";
import type { StreamEffect, StreamEvent, StreamState } from "./stream-state.ts";
import { covers, type Subscription, sotwSubscription } from "./subscription.ts";

/**
 * The state-of-the-world variant: a request gives the whole subscription. Listeners and clusters are answered with the whole
 * subscribed set, and absence is removal; of the other types only what is new to the proxy is sent.
 */
const sotw: Dialect<SotwRequest> = {
  variant: "sotw",

  subscribe(state, { names, version }) {
    const { type, subscription: before } = state;
    const subscription = sotwSubscription(type, names, before);
    return {
      ...state,
      subscription,
      asked: subscription === before ? state.asked : namesAsked(state.asked, subscription, before),
      resuming: state.resuming || (before === undefined && version !== ""),
      due: state.due || (type.fullState && (before === undefined || (subscription.wildcard && !before.wildcard))),
    };
  },

  resumePlan: (plan, _state, past) => continuePlan(past ?? plan.offered, plan),

  compose(state, offered, target, brokenNames, traits) {
    const { type, due, subscription } = state;
    const owed = owedTo(state, offered, target, brokenNames);
    return type.fullState
      ? wholeAnswer(owed, type, offered, subscription, due, traits.ttl.sotw)
      : answer(owed, type, traits.resourceErrors, traits.ttl.sotw);
  },
};

const contentOf = (type: ResourceType, { absent, broken }: Owed, ttl: boolean): ResponseContent => ({
  ...emptyContent,
  missing: type.absent.sotw === "error" ? absent : [],
  unavailable: type.absent.sotw === "error" ? broken : [],
  ttl,
});

/** What is new. One object for all who are owed the same. */
const answer = memoize((owed: Owed, type: ResourceType, takesErrors: boolean, ttl: boolean): Outgoing => {
  const { resources: renewed, removed, absent, pending } = owed;
  const content = contentOf(type, owed, ttl);
  const empty = type.absent.sotw === "empty" ? [...new Set([...removed, ...absent])].sort() : [];
  const resources = [...renewed, ...empty.map((name) => emptyResource(type, name))];
  const errors = takesErrors ? content.missing.length + content.unavailable.length : 0;
  return resources.length + errors > 0
    ? { kind: "send", pending, content: { ...content, resources }, renewed, isDivisible: true }
    : onlyPending(pending);
});

/** All that there is, when anything is owed. */
const wholeAnswer = memoize(
  (
    owed: Owed,
    type: ResourceType,
    offered: ResourceMap,
    subscription: Subscription,
    due: boolean,
    ttl: boolean,
  ): Outgoing => {
    const { resources: renewed, removed, absent, broken, pending } = owed;
    const isOwed = due || renewed.length + removed.length + absent.length + broken.length > 0;
    // To leave out a name that is about to come would tell the proxy that it does not exist.
    if (isOwed && pending.size > 0) return { kind: "wait" };
    if (!isOwed) return onlyPending(pending);
    const resources = [...offered.values()].filter(
      (resource) => covers(subscription, resource.name, resource.onDemand) && !isLeftOver(resource),
    );
    const content = { ...contentOf(type, owed, ttl), resources };
    return { kind: "send", pending, content, renewed, isDivisible: false };
  },
);

/** What is to be answered after a request that asks otherwise than before. */
const namesAsked = memoize(
  (asked: ReadonlySet<string>, { names }: Subscription, before: Subscription | undefined): ReadonlySet<string> =>
    new Set([...names].filter((name) => before?.names.has(name) !== true || asked.has(name))),
);

/** Remembered: streams in one state that hear of one event are in one state again. */
export const stepSotw = memoize(
  (state: StreamState, event: StreamEvent<SotwRequest>): readonly [StreamState, readonly StreamEffect[]] =>
    step(sotw, state, event),
);
