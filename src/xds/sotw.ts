import type { SotwRequest } from "../envoy/discovery-request.ts";
import type { Resource, ResourceMap } from "../envoy/resource-set.ts";
import { type Dialect, emptyContent, emptyResource, onlyPending } from "./dialect.ts";
import { owedTo } from "./owed.ts";
import { continuePlan } from "./push-plan.ts";
import { isLeftOver } from "./resource-map.ts";
import { step } from "./stream.ts";
import type { AskedType, StreamEffect, StreamEvent, StreamState } from "./stream-state.ts";
import { covers, sotwSubscription } from "./subscription.ts";

/**
 * The state-of-the-world variant: a request gives the whole subscription. Listeners and clusters are answered with the whole
 * subscribed set, and absence is removal; of the other types only what is new to the proxy is sent.
 */
const sotw: Dialect<SotwRequest> = {
  variant: "sotw",

  subscribe(state, { names, version }) {
    const { type, subscription: before } = state;
    const subscription = sotwSubscription(type, before, names);
    const isAsked = (name: string): boolean => before?.names.has(name) !== true || state.asked.has(name);
    return {
      ...state,
      subscription,
      asked: subscription === before ? state.asked : new Set([...subscription.names].filter(isAsked)),
      resuming: state.resuming || (before === undefined && version !== ""),
      due: state.due || (type.fullState && (before === undefined || (subscription.wildcard && !before.wildcard))),
    };
  },

  resumePlan: (plan, _state, past) =>
    past === undefined && plan.users === "returning" ? plan : continuePlan(past ?? plan.offered, plan),

  compose(state, offered, target, brokenNames, traits) {
    const { type } = state;
    const owes = owedTo(state, offered, target, brokenNames);
    const { resources: renewed, removed, absent, broken, pending } = owes;
    const missing = type.absent.sotw === "error" ? absent : [];
    const unavailable = type.absent.sotw === "error" ? broken : [];
    const content = { ...emptyContent, missing, unavailable, ttl: traits.ttl.sotw };
    if (!type.fullState) {
      const empty = type.absent.sotw === "empty" ? [...new Set([...removed, ...absent])].sort() : [];
      const resources = [...renewed, ...empty.map((name) => emptyResource(type, name))];
      const isWorthAnAnswer =
        resources.length > 0 || (missing.length + unavailable.length > 0 && traits.resourceErrors);
      return isWorthAnAnswer
        ? { kind: "send", pending, content: { ...content, resources }, renewed, isDivisible: true }
        : onlyPending(pending);
    }
    const owed = state.due || renewed.length + removed.length + absent.length + broken.length > 0;
    // To leave out a name that is about to come would tell the proxy that it does not exist.
    if (owed && pending.size > 0) return { kind: "wait" };
    return owed
      ? {
          kind: "send",
          pending,
          content: { ...content, resources: wholeSet(state, offered) },
          renewed,
          isDivisible: false,
        }
      : onlyPending(pending);
  },
};

export const stepSotw = (
  state: StreamState,
  event: StreamEvent<SotwRequest>,
): readonly [StreamState, readonly StreamEffect[]] => step(sotw, state, event);

const wholeSet = ({ subscription }: AskedType, offered: ResourceMap): readonly Resource[] =>
  [...offered.values()].filter(
    (resource) => covers(subscription, resource.name, resource.onDemand) && !isLeftOver(resource),
  );
