import { memoize } from "../base/memo.ts";
import type { ResponseContent } from "../envoy/discovery-response.ts";
import type { Resource, ResourceMap, ResourceSet } from "../envoy/resource-set.ts";
import { perType, type ResourceType, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import { type CommonRequest, type Dialect, emptyContent, type Outgoing } from "./dialect.ts";
import { estimate, type Fitted, firstPart } from "./fit.ts";
import { heartbeatsOf } from "./heartbeat.ts";
import { endpointsOfUnsent, gateOpen, type PushPlan, release, retire } from "./push-plan.ts";
import { namesReferred, namesReferredIn, type VersionMap, without } from "./resource-map.ts";
import { afterNews, nextRetry } from "./retries.ts";
import type { AskedType, NamedVersion, StreamEffect, StreamState, TypeState, TypeStates } from "./stream-state.ts";
import { covers, type Subscription } from "./subscription.ts";

/** Brings the stream as far as it may go: type by type in the order of the table, each as the one before it allows. */
export function settle<Request extends CommonRequest>(
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
      const one = types[type.short];
      if (!isOwed(one, plan)) continue;
      if (isHeldBack(type, plan, types)) plan = { ...plan, gated: true };
      else types = flush(dialect, { ...state, types, plan }, one, effects);
    }
    const next = retire(plan, types);
    if (next.offered === plan.offered) return { ...state, types, plan: next };
    plan = next;
  }
}

/** May something be owed? Asked for, and not all of it sent. */
function isOwed(state: TypeState, { offered }: PushPlan): state is AskedType {
  const { type, subscription, held, asked, due, heartbeat, retries } = state;
  if (subscription === undefined) return false;
  return held !== offered[type.short] || asked.size > 0 || due || heartbeat || retries.groups.length > 0;
}

/** A first answer waits for nothing, with two exceptions: the proxy is at work, or what comes before goes out in parts. */
function isHeldBack(type: ResourceType, plan: PushPlan, types: TypeStates): boolean {
  const isSpecial = types[type.short].resuming || Object.values(types).some(({ partial }) => partial);
  return type.gated && isSpecial && !gateOpen(plan, type, types);
}

/** Clusters may go out in parts: endpoints come after the part that has their cluster. */
function endpointsInTurn(plan: PushPlan, types: TypeStates): ResourceMap {
  if (!types.CDS.partial) return plan.offered.EDS;
  return without(plan.offered.EDS, endpointsOfUnsent(plan, types));
}

/** Names that could not be made, by type: they exist for all we know. */
const brokenNames = memoize((set: ResourceSet): Readonly<Record<TypeName, ReadonlySet<string>>> => {
  const broken = set.repairs.filter(({ kind }) => kind === "broken");
  return perType(({ short }) => new Set(broken.filter(({ type }) => type === short).map(({ name }) => name)));
});

type Settling = StreamState & { readonly plan: PushPlan };

function flush<Request extends CommonRequest>(
  dialect: Dialect<Request>,
  { types, plan, traits, room }: Settling,
  state: AskedType,
  effects: StreamEffect[],
): TypeStates {
  if (state.awaited || !room) return types;
  const { type } = state;
  const offered = type.short === "EDS" ? endpointsInTurn(plan, types) : plan.offered[type.short];
  const outgoing = dialect.compose(
    state,
    offered,
    plan.target.resources[type.short],
    brokenNames(plan.target)[type.short],
    traits,
  );
  if (outgoing.kind === "wait") return types;
  if (state.resuming) {
    const sending = outgoing.kind === "send" ? outgoing.content.resources : nothingSent;
    const resources = resumed(state.held, offered, state.subscription, sending);
    if (resources.length > 0) effects.push({ do: "resumed", type: type.short, resources });
  }
  if (outgoing.kind === "send") {
    const fitted = fitToClient(state, outgoing, traits.maxResponseBytes, effects);
    const next = sent(afterAnswer(state, offered, outgoing, fitted), fitted.content, effects);
    const renewed = among(fitted.content.resources, outgoing.renewed);
    return follow({ ...types, [type.short]: next }, type.short, renewed, plan);
  }
  const current: AskedType = {
    ...state,
    held: offered,
    asked: outgoing.pending,
    due: false,
    resuming: false,
    partial: false,
  };
  return { ...types, [type.short]: sendMore(current, offered, effects) };
}

/** Those of the resources that went out. */
const among = memoize((sent: readonly Resource[], resources: readonly Resource[]): readonly Resource[] => {
  const all = new Set(sent);
  return resources.filter((one) => all.has(one));
});

type Send = Extract<Outgoing, { readonly kind: "send" }>;

/** What of it goes out, if anything; what the client cannot take is reported, and stays behind until it changes. */
function fitToClient(
  { type, due }: AskedType,
  { content, isDivisible }: Send,
  maxBytes: number,
  effects: StreamEffect[],
): Fitted {
  if (isDivisible) {
    const fitted = firstPart(type, content, maxBytes);
    const names = fitted.oversized.map(({ name }) => name);
    const bytes = Math.max(0, ...fitted.oversized.map((one) => one.bytes.length));
    if (names.length > 0) effects.push({ do: "oversized", type: type.short, names, bytes });
    return isEmpty(fitted.content) && !due ? { ...fitted, content: emptyContent } : fitted;
  }
  const bytes = estimate(type, content);
  const fits = bytes <= maxBytes;
  if (!fits) effects.push({ do: "oversized", type: type.short, names: [], bytes });
  return { content: fits ? content : emptyContent, partial: false, oversized: [] };
}

const isEmpty = ({ resources, removed, missing, unavailable, bodiless }: ResponseContent): boolean =>
  resources.length + removed.length + missing.length + unavailable.length + bodiless.length === 0;

/** The state after a response with this much of what was owed. */
function afterAnswer(
  state: TypeState,
  offered: ResourceMap,
  { pending }: Send,
  { content, partial, oversized }: Fitted,
): TypeState {
  const base: TypeState = { ...state, partial, due: false, resuming: false };
  if (!partial) return { ...base, held: offered, asked: pending };
  const names = [
    ...[...content.resources, ...oversized].map(({ name }) => name),
    ...content.removed,
    ...content.missing,
    ...content.unavailable,
    ...content.bodiless,
  ];
  return {
    ...base,
    held: brought(state.held, offered, names),
    asked: new Set(state.asked).difference(new Set(names)).union(pending),
  };
}

/** What the proxy has of these names is as on offer now. */
function brought(held: VersionMap, offered: ResourceMap, names: readonly string[]): VersionMap {
  const next = new Map(held);
  for (const name of names) {
    const resource = offered.get(name);
    if (resource === undefined) next.delete(name);
    else next.set(name, resource);
  }
  return next;
}

function sent(state: TypeState, content: ResponseContent, effects: StreamEffect[]): TypeState {
  // All that was owed may have been too large.
  if (content === emptyContent) return state;
  effects.push({ do: "send", type: state.type, content });
  return {
    ...state,
    retries: afterNews(state.retries, content.resources),
    sending: content.resources,
    awaited: true,
    written: false,
  };
}

/** With nothing new to say: part of what was refused together, or a sign of life. */
function sendMore(state: AskedType, offered: ResourceMap, effects: StreamEffect[]): TypeState {
  const { type, subscription, retries, refused, heartbeat } = state;
  const wanted = new Set([...refused].filter((name) => covers(subscription, name)));
  const { group, rest } = nextRetry(retries, offered, wanted);
  if (group.length > 0) {
    effects.push({ do: "send", type, content: { ...emptyContent, resources: group } });
    return { ...state, retries: rest, sending: group, awaited: true, written: false };
  }
  const heartbeats = heartbeat ? heartbeatsOf(offered, subscription) : [];
  const next: TypeState = { ...state, retries: rest, heartbeat: false };
  if (heartbeats.length === 0) return next;
  effects.push({ do: "send", type, content: { ...emptyContent, heartbeats, ttl: true } });
  return { ...next, sending: [], awaited: true, written: false };
}

/** What a client forgets, or waits for, when it gets a resource of another type: to be answered whatever it is believed to hold. */
function follow(types: TypeStates, short: TypeName, renewed: readonly Resource[], { offered }: PushPlan): TypeStates {
  switch (short) {
    case "CDS": {
      // A new or changed cluster waits for its endpoints, even for the ones that the proxy already has.
      const { EDS } = types;
      const names = union(EDS.asked, namesReferred(renewed, "EDS"));
      const asked = EDS.subscription ? names : intersection(names, namesReferredIn(offered.CDS, "EDS"));
      return { ...types, EDS: { ...EDS, asked } };
    }
    case "RDS": {
      // A new or changed route table comes without the virtual hosts that were asked for on demand.
      const { VHDS } = types;
      if (VHDS.subscription === undefined) return types;
      const tables = new Set(renewed.map(({ name }) => name));
      const hosts = [...VHDS.subscription.names].filter((name) => tables.has(routeTableOf(name)));
      return { ...types, VHDS: { ...VHDS, asked: new Set([...VHDS.asked, ...hosts]) } };
    }
    default:
      return types;
  }
}

const union = memoize((a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => a.union(b));

const intersection = memoize(
  (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => (a.isSubsetOf(b) ? a : a.intersection(b)),
);

/** A virtual host is named `<route table>/<host>`; the table's name may have slashes of its own. */
const routeTableOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));

const nothingSent: readonly Resource[] = [];

/** What a reconnected proxy listed in its present version, and is therefore not sent. One list for all who listed the same. */
const resumed = memoize(
  (
    held: VersionMap,
    offered: ResourceMap,
    subscription: Subscription,
    sending: readonly Resource[],
  ): readonly NamedVersion[] => {
    const names = new Set(sending.map(({ name }) => name));
    return [...held].flatMap(([name, { version }]) =>
      covers(subscription, name) && offered.get(name)?.version === version && !names.has(name)
        ? [{ name, version }]
        : [],
    );
  },
);
