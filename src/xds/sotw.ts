import type { SotwRequest } from "../envoy/discovery-request.ts";
import { encodeEmptyResource } from "../envoy/discovery-response.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { owedTo } from "./owed.ts";
import type { ResourceMap } from "./resource-map.ts";
import { type Dialect, step } from "./stream.ts";
import type { StreamEffect, StreamEvent, StreamState, TypeState } from "./stream-state.ts";
import { covers, sotwSubscription } from "./subscription.ts";

/**
 * The state-of-the-world variant: a request gives the whole subscription. Listeners and clusters are answered with the whole
 * subscribed set, and absence is removal; of the other types only what is new to the proxy is sent.
 */
const sotw: Dialect<SotwRequest> = {
  subscribe(state, { names }) {
    const { type, subscription: before } = state;
    const subscription = sotwSubscription(type, before, names);
    const added = [...subscription.names].filter((name) => before?.names.has(name) !== true);
    return {
      ...state,
      subscription,
      asked: added.length === 0 ? state.asked : new Set([...state.asked, ...added]),
      due: state.due || (type.fullState && (before === undefined || (subscription.wildcard && !before.wildcard))),
    };
  },

  compose(state, offered, target) {
    const { resources: renewed, removed, absent, pending } = owedTo(state, offered, target);
    if (!state.type.fullState) {
      const resources = [...renewed, ...emptyAnswers(state, [...removed, ...absent])];
      return resources.length === 0
        ? { kind: "nothing", pending }
        : { kind: "send", pending, resources, removed: [], renewed };
    }
    const owed = state.due || renewed.length + removed.length + absent.length > 0;
    // To leave out a name that is about to come would tell the proxy that it does not exist.
    if (pending.size > 0) return owed ? { kind: "wait" } : { kind: "nothing", pending };
    return owed
      ? { kind: "send", pending, resources: wholeSet(state, offered), removed: [], renewed }
      : { kind: "nothing", pending };
  },
};

export const stepSotw = (
  state: StreamState,
  event: StreamEvent<SotwRequest>,
): readonly [StreamState, readonly StreamEffect[]] => step(sotw, state, event);

function wholeSet({ subscription }: TypeState, offered: ResourceMap): readonly Resource[] {
  const all = [...offered.values()];
  return subscription === undefined || subscription.wildcard
    ? all
    : all.filter(({ name }) => covers(subscription, name));
}

/** This variant cannot say "does not exist". A proxy that waits for endpoints is told that there are none, lest it wait for ever. */
function emptyAnswers({ type }: TypeState, names: readonly string[]): readonly Resource[] {
  if (type.short !== "EDS") return [];
  return [...new Set(names)].sort().map((name) => ({
    type: type.short,
    name,
    version: "absent",
    bytes: encodeEmptyResource(name),
    references: [],
    provenance: () => [{ pointer: "", origins: [{ kind: "repair", reason: "no such endpoints are known" }] }],
  }));
}
