import { maxNamesPerRequest } from "../envoy/discovery-request.ts";
import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { resourceTypeOf, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import { confirm, graceOver, openGate, type PushPlan, release, retarget, retire, startPlan } from "./push-plan.ts";
import type { ResourceMap } from "./resource-map.ts";
import type {
  SentResponse,
  StreamEffect,
  StreamEvent,
  StreamState,
  Timer,
  TypeState,
  TypeStates,
} from "./stream-state.ts";
import { covers } from "./subscription.ts";

/** What the two variants of the protocol have in common of a request. */
export interface CommonRequest {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error?: string;
}

/** Where the two variants differ. */
export interface Dialect<Request extends CommonRequest> {
  /** Takes the names of any request, be it an ACK, a NACK, stale or neither. */
  readonly subscribe: (state: TypeState, request: Request) => TypeState;
  /** What is to be sent now of what is on offer, and which names that are still to come stay asked for. */
  readonly compose: (state: TypeState, offered: ResourceMap, target: ResourceMap) => Outgoing;
}

export type Outgoing =
  | { readonly kind: "nothing"; readonly pending: ReadonlySet<string> }
  /** Something is owed, and must wait for what is still to come. */
  | { readonly kind: "wait" }
  | {
      readonly kind: "send";
      readonly pending: ReadonlySet<string>;
      readonly resources: readonly Resource[];
      readonly removed: readonly string[];
      /** Those of `resources` that the proxy did not have in this version, or asked for again. */
      readonly renewed: readonly Resource[];
    };

const emptyContent: ResponseContent = {
  resources: [],
  removed: [],
  missing: [],
  bodiless: [],
  heartbeats: [],
  ttl: false,
};

/** Responses of one type whose answers are still told apart; older ones are forgotten. */
const maxUnanswered = 8;
/** Unknown types of one stream that are reported; more are ignored in silence. */
const maxUnknownTypes = 16;

/** One step of a stream. Pure: time, nonces and bytes are the business of whoever runs the effects, in their order. */
export function step<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  event: StreamEvent<Request>,
): readonly [StreamState, readonly StreamEffect[]] {
  const effects: StreamEffect[] = [];
  const reacted = react(dialect, state, event, effects);
  const next = event.on === "sent" || event.on === "written" ? reacted : settle(dialect, reacted, effects);
  const running = timersOf(state);
  if (event.on === "timer") running.delete(event.timer);
  const wanted = timersOf(next);
  for (const timer of running.difference(wanted)) effects.push({ do: "stop-timer", timer });
  for (const timer of wanted.difference(running)) effects.push({ do: "start-timer", timer });
  return [next, effects];
}

function react<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  event: StreamEvent<Request>,
  effects: StreamEffect[],
): StreamState {
  switch (event.on) {
    case "request":
      return requested(dialect, state, event.request, event.atMs, effects);
    case "resources":
      return { ...state, plan: state.plan ? retarget(state.plan, event.resources) : startPlan(event.resources) };
    case "sent": {
      const { sending, unanswered } = state.types[event.type];
      const response: SentResponse = { nonce: event.nonce, atMs: event.atMs, resources: sending };
      return withType(state, event.type, { sending: [], unanswered: [...unanswered, response].slice(-maxUnanswered) });
    }
    case "written": {
      const latest = state.types[event.type].unanswered.at(-1);
      return latest?.nonce === event.nonce ? withType(state, event.type, { written: true }) : state;
    }
    case "client":
    case "past":
    case "room":
      return state;
    case "timer":
      return timedOut(state, event.timer, effects);
  }
}

function requested<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  request: Request,
  atMs: number,
  effects: StreamEffect[],
): StreamState {
  const { typeUrl } = request;
  const type = resourceTypeOf(typeUrl);
  if (type === undefined) return unknownType(state, typeUrl, effects);
  const answered = takeAnswer(state, type.short, request, atMs, effects);
  const before = answered.types[type.short];
  const after = dialect.subscribe(before, request);
  if ((after.subscription?.names.size ?? 0) > maxNamesPerRequest) {
    const reason = `more than ${maxNamesPerRequest} ${type.short} names are subscribed to`;
    effects.push({ do: "end", status: "RESOURCE_EXHAUSTED", reason });
    return answered;
  }
  const names = droppedNames(before, after);
  if (names.length > 0) effects.push({ do: "dropped", type: type.short, names });
  return withType(answered, type.short, after);
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
function takeAnswer(
  state: StreamState,
  type: TypeName,
  { nonce, error }: CommonRequest,
  atMs: number,
  effects: StreamEffect[],
): StreamState {
  const { unanswered, answer, refused } = state.types[type];
  const index = unanswered.findIndex((response) => response.nonce === nonce);
  const response = unanswered[index];
  if (response === undefined) return state;
  const names = new Set(response.resources.map(({ name }) => name));
  const later = unanswered.slice(index + 1);
  if (error !== undefined) effects.push({ do: "refused", type, nonce, reason: error });
  else effects.push({ do: "accepted", type, nonce, tookMs: atMs - response.atMs });
  const next = withType(state, type, {
    unanswered: later,
    answer: later.length > 0 ? answer : error === undefined ? "accepted" : "refused",
    refused: error === undefined ? refused.difference(names) : refused.union(names),
  });
  return next.plan === undefined || error !== undefined
    ? next
    : { ...next, plan: confirm(next.plan, type, response.resources) };
}

function droppedNames(
  { subscription: before, held }: TypeState,
  { subscription: after }: TypeState,
): readonly string[] {
  if (before === undefined || after === undefined || before === after) return [];
  const had = before.wildcard ? new Set([...held.keys(), ...before.names]) : before.names;
  return [...had].filter((name) => !covers(after, name));
}

function timedOut(state: StreamState, timer: Timer, effects: StreamEffect[]): StreamState {
  const { plan } = state;
  if (timer === "world") {
    const reason = "the control plane has no complete configuration yet; try again";
    if (plan === undefined) effects.push({ do: "end", status: "UNAVAILABLE", reason });
    return state;
  }
  if (plan === undefined) return state;
  if (timer === "gate") {
    // A peer that takes no bytes must not be sent more of them because time passes: wait once more.
    const stuck = Object.values(state.types).some(({ answer, written }) => answer === "awaited" && !written);
    return stuck ? state : { ...state, plan: openGate(plan), types: mapTypes(state.types, overdue) };
  }
  const type = resourceTypes.find(({ short }) => timer.endsWith(`/${short}`))?.short ?? "CDS";
  if (timer.startsWith("grace/")) return { ...state, plan: graceOver(plan, type) };
  return withType(state, type, overdue(state.types[type]));
}

const overdue = (state: TypeState): TypeState => (state.answer === "awaited" ? { ...state, answer: "overdue" } : state);

/** Brings the stream as far as it may go: type by type in the order of the table, each as the one before it allows. */
function settle<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  state: StreamState,
  effects: StreamEffect[],
): StreamState {
  if (state.plan === undefined) return state;
  let types = state.types;
  let plan: PushPlan = { ...state.plan, gated: false };
  for (;;) {
    for (const type of resourceTypes) {
      plan = release(plan, type, types);
      types = flush(dialect, types, type.short, plan, effects);
    }
    const next = retire(plan, types);
    if (next.offered === plan.offered) return { ...state, types, plan: next };
    plan = next;
  }
}

function flush<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  types: TypeStates,
  short: TypeName,
  { offered: { [short]: offered, CDS: clusters }, target }: PushPlan,
  effects: StreamEffect[],
): TypeStates {
  const state = types[short];
  if (state.subscription === undefined) return types;
  if (state.held === offered && state.asked.size === 0 && !state.due) return types;
  const outgoing = dialect.compose(state, offered, target.resources[short]);
  if (outgoing.kind === "wait" || (outgoing.kind === "send" && state.answer === "awaited")) return types;
  const current = { ...state, held: offered, asked: outgoing.pending, due: false, resuming: false };
  if (state.resuming) effects.push(...resumed(state, offered, outgoing));
  if (outgoing.kind === "nothing") return { ...types, [short]: current };
  const { resources, removed, renewed } = outgoing;
  effects.push({ do: "send", type: state.type, content: { ...emptyContent, resources, removed } });
  const sent: TypeStates = { ...types, [short]: { ...current, sending: resources, answer: "awaited", written: false } };
  return short === "CDS" ? { ...sent, EDS: followClusters(sent.EDS, renewed, clusters) } : sent;
}

/** A new or changed cluster waits for its endpoints, even for the ones that the proxy already has. */
function followClusters(endpoints: TypeState, renewed: readonly Resource[], clusters: ResourceMap): TypeState {
  const names = [...endpoints.asked, ...renewed.map(({ name }) => name)];
  return { ...endpoints, asked: new Set(endpoints.subscription ? names : names.filter((name) => clusters.has(name))) };
}

/** What a reconnected proxy listed in its present version, and is therefore not sent. */
function resumed(state: TypeState, offered: ResourceMap, outgoing: Outgoing): readonly StreamEffect[] {
  const { type, subscription, held } = state;
  const sent = new Set(outgoing.kind === "send" ? outgoing.resources.map(({ name }) => name) : []);
  const resources = [...held]
    .filter(
      ([name, { version }]) => subscription && covers(subscription, name) && offered.get(name)?.version === version,
    )
    .flatMap(([name, { version }]) => (sent.has(name) ? [] : [{ name, version }]));
  return resources.length === 0 ? [] : [{ do: "resumed", type: type.short, resources }];
}

const mapTypes = (types: TypeStates, change: (state: TypeState) => TypeState): TypeStates =>
  Object.fromEntries(Object.entries(types).map(([type, state]) => [type, change(state)])) as Record<
    TypeName,
    TypeState
  >;

const withType = (state: StreamState, type: TypeName, change: Partial<TypeState>): StreamState => ({
  ...state,
  types: { ...state.types, [type]: { ...state.types[type], ...change } },
});

/** The timers that a state needs: those that appear from one state to the next are started, the others stopped. */
function timersOf({ types, plan }: StreamState): Set<Timer> {
  const timers = new Set<Timer>();
  for (const { short } of resourceTypes) {
    const { subscription, answer, written } = types[short];
    if (answer === "awaited" && written) timers.add(`ack/${short}`);
    if (plan?.leaving[short] !== undefined) timers.add(`grace/${short}`);
    if (plan === undefined && subscription !== undefined) timers.add("world");
  }
  if (plan?.gated === true) timers.add("gate");
  return timers;
}
