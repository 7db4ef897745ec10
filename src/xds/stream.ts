import { memoize } from "../base/memo.ts";
import { maxNamesPerRequest } from "../envoy/discovery-request.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { perType, type ResourceType, resourceTypeOf, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import { atRest } from "./at-rest.ts";
import type { CommonRequest, Dialect } from "./dialect.ts";
import { shortestTtl } from "./heartbeat.ts";
import { catchUp, confirm, graceOver, openGate, type PushPlan, retarget, startPlan } from "./push-plan.ts";
import type { VersionMap } from "./resource-map.ts";
import { splitRefused } from "./retries.ts";
import { settle } from "./settle.ts";
import type {
  AskedType,
  SentResponse,
  StreamEffect,
  StreamEvent,
  StreamState,
  Timer,
  TypeState,
  TypeStates,
} from "./stream-state.ts";
import { covers, type Subscription } from "./subscription.ts";

/** Responses of one type whose answers are still told apart; older ones are forgotten. */
const maxUnanswered = 8;
/** Unknown types of one stream that are reported; more are ignored in silence. */
const maxUnknownTypes = 16;

/** After these nothing more may be sent than before. */
const bookkeeping: ReadonlySet<StreamEvent<never>["on"]> = new Set(["sent", "written"]);

/** One step of a stream. Pure: time, nonces and bytes are the business of whoever runs the effects, in their order. */
export function step<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  event: StreamEvent<Request>,
): readonly [StreamState, readonly StreamEffect[]] {
  const effects: StreamEffect[] = [];
  const reacted = react(dialect, state, event, effects);
  const next = bookkeeping.has(event.on) ? reacted : settle(dialect, reacted, effects);
  const ended = event.on === "timer" ? event.timer : undefined;
  const timers = timersOf(dialect, next);
  for (const timer of state.timers.keys()) {
    if (timer !== ended && !timers.has(timer)) effects.push({ do: "stop-timer", timer });
  }
  for (const [timer, delayMs] of timers) {
    if (timer !== ended && state.timers.has(timer)) continue;
    effects.push({ do: "start-timer", timer, ...(delayMs !== undefined && { delayMs }) });
  }
  return [atRest({ ...next, timers }), effects];
}

function react<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  event: StreamEvent<Request>,
  effects: StreamEffect[],
): StreamState {
  switch (event.on) {
    case "client":
      return { ...state, traits: event.traits };
    case "past":
      return { ...state, past: event.past };
    case "request":
      return requested(dialect, state, event.request, effects);
    case "resources":
      return {
        ...state,
        plan: state.plan ? retarget(state.plan, event.resources) : started(dialect, state, event.resources),
      };
    case "ready":
      return { ...state, plan: state.plan && catchUp(state.plan, event.resources) };
    case "room":
      return { ...state, room: event.room };
    case "sent": {
      const { sending, unanswered } = state.types[event.type];
      const response: SentResponse = { nonce: event.nonce, resources: sending };
      return withType(state, event.type, { sending: [], unanswered: [...unanswered, response].slice(-maxUnanswered) });
    }
    case "written": {
      const latest = state.types[event.type].unanswered.at(-1);
      return latest?.nonce === event.nonce ? withType(state, event.type, { written: true }) : state;
    }
    case "timer":
      return timedOut(dialect, state, event.timer, effects);
  }
}

/** The first plan: proxies that are at work may have made their first requests before there was a world. */
function started<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  { types, only, past }: StreamState,
  target: ResourceSet,
): PushPlan {
  const fresh = startPlan(target, only === undefined ? "here" : "elsewhere");
  return Object.values(types)
    .filter((type): type is AskedType => type.resuming)
    .reduce((plan, type) => dialect.resumePlan(plan, type, past), fresh);
}

function requested<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  request: Request,
  effects: StreamEffect[],
): StreamState {
  const type = resourceTypeOf(request.typeUrl);
  if (type === undefined || type.service[dialect.variant] === undefined) {
    return unknownType(state, request.typeUrl, effects);
  }
  const answered = takeAnswer(dialect, state, type, request, effects);
  const before = answered.types[type.short];
  const after = dialect.subscribe(before, request);
  const { subscription } = after;
  if (Math.max(subscription.names.size, after.asked.size) > maxNamesPerRequest) {
    const reason = `more than ${maxNamesPerRequest} ${type.short} names are subscribed to, or wait for an answer`;
    effects.push({ do: "end", status: "RESOURCE_EXHAUSTED", reason });
    return answered;
  }
  const names = droppedNames(before, subscription);
  if (names.length > 0) effects.push({ do: "dropped", type: type.short, names });
  if (subscription !== before.subscription) effects.push({ do: "subscribed", type: type.short, subscription });
  const next = withType(
    answered,
    type.short,
    isInTheMiddle(after, answered.types) ? askingForAll(after, answered.plan) : after,
  );
  if (!after.resuming || before.subscription !== undefined || next.plan === undefined) return next;
  return { ...next, plan: dialect.resumePlan(next.plan, after, next.past), past: undefined };
}

/**
 * A proxy that comes back and asks for endpoints before clusters is in the middle of a change of clusters: one of them waits for
 * endpoints, whatever versions it lists.
 */
const isInTheMiddle = ({ type, resuming }: TypeState, { CDS }: TypeStates): boolean =>
  type.short === "EDS" && resuming && CDS.subscription === undefined;

/** All that there is; what is gone is said in its time. */
function askingForAll(state: AskedType, plan: PushPlan | undefined): TypeState {
  const { type, subscription } = state;
  const there = [...subscription.names].filter((name) => plan?.target.resources[type.short].has(name) !== false);
  return { ...state, asked: new Set([...state.asked, ...there]) };
}

function unknownType(state: StreamState, typeUrl: string, effects: StreamEffect[]): StreamState {
  if (typeUrl === "") {
    effects.push({
      do: "end",
      status: "INVALID_ARGUMENT",
      reason: "type_url is empty: on ADS each request names its type",
    });
    return state;
  }
  if (state.unknownTypes.has(typeUrl) || state.unknownTypes.size >= maxUnknownTypes) return state;
  effects.push({ do: "unknown-type", typeUrl });
  return { ...state, unknownTypes: new Set([...state.unknownTypes, typeUrl]) };
}

/** The ACK or NACK in a request: told by the nonce, and by whether an error stands beside it; versions say nothing. */
function takeAnswer<Request extends CommonRequest>(
  { variant }: Dialect<Request>,
  state: StreamState,
  { short, fullState }: ResourceType,
  { nonce, error }: CommonRequest,
  effects: StreamEffect[],
): StreamState {
  const { unanswered, awaited, refused, retries } = state.types[short];
  const index = unanswered.findIndex((response) => response.nonce === nonce);
  const response = unanswered[index];
  if (response === undefined) return state;
  const later = unanswered.slice(index + 1);
  const answered = { unanswered: later, awaited: awaited && later.length > 0 };
  const names = namesOf(response.resources);
  if (error === undefined) {
    effects.push({ do: "accepted", type: short, nonce });
    const next = withType(state, short, {
      ...answered,
      refused: refused.size === 0 ? refused : refused.difference(names),
    });
    return { ...next, plan: next.plan && confirm(next.plan, short, response.resources) };
  }
  effects.push({ do: "refused", type: short, nonce, reason: error });
  // A whole set cannot be sent in parts: what is absent from it would be removed.
  const isWhole = variant === "sotw" && fullState;
  return withType(state, short, {
    ...answered,
    refused: thatExist(refused.union(names), state.plan, short),
    retries: isWhole ? retries : splitRefused(retries, response.resources),
  });
}

const namesOf = memoize(
  (resources: readonly Resource[]): ReadonlySet<string> => new Set(resources.map(({ name }) => name)),
);

/** What is gone needs no record of its refusal. */
const thatExist = (names: ReadonlySet<string>, plan: PushPlan | undefined, type: TypeName): ReadonlySet<string> =>
  new Set([...names].filter((name) => plan?.offered[type].has(name)));

const droppedNames = ({ subscription: before, held }: TypeState, after: Subscription): readonly string[] =>
  before === undefined || before === after ? nothingDropped : namesLost(held, before, after);

const nothingDropped: readonly string[] = [];

const namesLost = memoize((held: VersionMap, before: Subscription, after: Subscription): readonly string[] => {
  const had = before.wildcard ? new Set([...held.keys(), ...before.names]) : before.names;
  return [...had].filter((name) => !covers(after, name));
});

function timedOut<Request extends CommonRequest>(
  { variant }: Dialect<Request>,
  state: StreamState,
  timer: Timer,
  effects: StreamEffect[],
): StreamState {
  const { plan } = state;
  if (timer === "world") {
    const reason = "the control plane has no complete configuration yet; try again";
    if (plan === undefined) effects.push({ do: "end", status: "UNAVAILABLE", reason });
    return state;
  }
  if (plan === undefined) return state;
  if (timer === "gate") {
    // A peer that takes no bytes must not be sent more of them because time passes: wait once more.
    const stuck = Object.values(state.types).some(({ awaited, written }) => awaited && !written);
    return stuck
      ? state
      : { ...state, plan: openGate(plan), types: perType(({ short }) => overdue(state.types[short])) };
  }
  const [reason, short] = timer.split("/") as [string, TypeName];
  const { type } = state.types[short];
  if (reason === "grace") return { ...state, plan: graceOver(plan, type, state.types) };
  if (reason === "heartbeat") {
    // A whole set has no place for signs of life alone: Envoy takes what is absent from it as removed.
    return withType(state, short, variant === "sotw" && type.fullState ? { due: true } : { heartbeat: true });
  }
  return withType(state, short, overdue(state.types[short]));
}

const overdue = (state: TypeState): TypeState => ({ ...state, awaited: false });

const withType = (state: StreamState, type: TypeName, change: Partial<TypeState>): StreamState => ({
  ...state,
  types: { ...state.types, [type]: { ...state.types[type], ...change } },
});

/**
 * The timers that a state needs, some with their time: those that appear from one state to the next are started, the others
 * stopped.
 */
function timersOf<Request extends CommonRequest>(
  { variant }: Dialect<Request>,
  { types, plan, traits }: StreamState,
): StreamState["timers"] {
  const timers = new Map<Timer, number | undefined>();
  for (const { short } of resourceTypes) {
    const { subscription, awaited, written, heartbeat } = types[short];
    if (awaited && written) timers.set(`ack/${short}`, undefined);
    if (plan?.leaving[short] !== undefined) timers.set(`grace/${short}`, undefined);
    if (subscription === undefined) continue;
    if (plan === undefined) timers.set("world", undefined);
    else if (traits.ttl[variant] && !heartbeat) {
      const ttlMs = shortestTtl(plan.offered[short], subscription);
      if (ttlMs !== undefined) timers.set(`heartbeat/${short}`, ttlMs / 2);
    }
  }
  if (plan?.gated === true) timers.set("gate", undefined);
  return timers;
}
