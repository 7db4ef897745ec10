import { memoize } from "../base/memo.ts";
import type { ResourceMap, ResourceSet } from "../envoy/resource-set.ts";
import { perType, type ResourceType, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import {
  difference,
  leftOver,
  namesReferred,
  namesReferredIn,
  noNames,
  overlay,
  sameContent,
  type VersionMap,
  without,
  withResources,
} from "./resource-map.ts";
import { covers, type Subscription } from "./subscription.ts";

/** How far the proxy is with one type. */
export interface TypeProgress {
  readonly subscription: Subscription | undefined;
  /** What was on offer when the proxy was last brought up to date. */
  readonly held: VersionMap;
  /** An answer to the latest response may still come, which keeps the next one of the type back: the wait for it has a limit. */
  readonly awaited: boolean;
  /** Names that were refused in the version last sent. */
  readonly refused: ReadonlySet<string>;
  /** Not all of what is on offer fitted into the latest response: the rest follows. */
  readonly partial: boolean;
}

/** What may be seen, of each type. */
export type Offered = Readonly<Record<TypeName, ResourceMap>>;

/** Put on offer, and not confirmed by the proxy: name to the version that the types after it wait for. */
type Unconfirmed = Readonly<Record<TypeName, ReadonlyMap<string, string>>>;

type Progress = Readonly<Record<TypeName, TypeProgress>>;

/**
 * Make before break, for one stream: what may be seen of a new resource set, and when.
 *
 *     clusters ─► endpoints ─────────► listeners ─────────────► routes ─────────────► removals
 *     at once     each after its       when clusters and        when listeners are    when what used them is
 *                 cluster was sent     endpoints are in place   in place as well      confirmed, and a grace time
 *
 * The order is that of the table of resource types. A type's `offered` resources move towards those of `target`; the stream's
 * machine sends whatever differs from what the proxy holds. "In place" is: confirmed by the proxy; the gate's timer bounds the
 * wait. The first answer to a proxy that starts waits for nothing; one that was at work before is treated as at work.
 */
export interface PushPlan {
  readonly target: ResourceSet;
  /** What gated types move towards: the target, unless it is kept back for them by time. */
  readonly ready: ResourceSet;
  readonly offered: Offered;
  readonly unconfirmed: Unconfirmed;
  /** Something is kept back by a closed gate. */
  readonly gated: boolean;
  /** What is gone when the type's grace time is over. */
  readonly leaving: Readonly<Partial<Record<TypeName, Leaving>>>;
  readonly users: Users;
}

/**
 * Where the types are asked for that use others: on this stream (`here`); here, but the proxy has only just come back, and not
 * asked for all of them yet (`returning`); or on streams of their own, where only time can keep the order (`elsewhere`).
 */
export type Users = "here" | "returning" | "elsewhere";

interface Leaving {
  readonly names: ReadonlySet<string>;
  /** How many of the types that use this one were asked for when the grace time began. */
  readonly usersSeen: number;
}

const nothing: ReadonlyMap<string, string> = new Map();
const allConfirmed: Unconfirmed = perType(() => nothing);

/** For a stream that has got nothing yet: everything is on offer. */
export const startPlan = (target: ResourceSet, users: Users): PushPlan => ({
  target,
  ready: target,
  offered: target.resources,
  unconfirmed: allConfirmed,
  gated: false,
  leaving: {},
  users,
});

/**
 * For a proxy that is at work, and cannot say on what: it goes on from what an earlier stream had on offer (`past`). All that can
 * be taken back is waited for, as the last of it may have reached the proxy or not.
 */
export function continuePlan(past: Offered, { target, users }: PushPlan): PushPlan {
  const plan = { ...startPlan(target, returning(users)), offered: past };
  // Endpoints are asked for by their cluster.
  const namesOf = (type: TypeName): Iterable<string> =>
    type === "EDS" ? namesReferredIn(past.CDS, "EDS") : past[type].keys();
  const unconfirmed = perType(({ short, gates, usedBy }) =>
    gates && usedBy.length > 0 ? versionsOf(namesOf(short), past[short]) : nothing,
  );
  return retarget({ ...plan, unconfirmed }, target);
}

const returning = (users: Users): Users => (users === "here" ? "returning" : users);

/**
 * For a proxy that is at work and lists what it holds of one type: what is gone is removed only when its users have been
 * replaced, and what is new or changed is waited for, as in any other change.
 */
export function resume(plan: PushPlan, type: ResourceType, subscription: Subscription, known: VersionMap): PushPlan {
  const { short } = type;
  const { offered, news } = listed(known, plan.offered[short], plan.target.resources[short], subscription, short);
  const waitFor = (waiting: Unconfirmed, one: TypeName, names: Iterable<string>): Unconfirmed => ({
    ...waiting,
    [one]: new Map([...waiting[one], ...versionsOf(names, plan.target.resources[one])]),
  });
  let { unconfirmed } = plan;
  if (type.gates) unconfirmed = waitFor(unconfirmed, short, new Set(news.map(({ name }) => name)));
  return {
    ...offering(plan, short, offered),
    unconfirmed: waitFor(unconfirmed, "EDS", namesReferred(news, "EDS")),
    users: returning(plan.users),
  };
}

/** What follows from a list of what is held: what is gone is on offer still, and what of the target is new. One for all who list the same. */
const listed = memoize(
  (known: VersionMap, offered: ResourceMap, target: ResourceMap, subscription: Subscription, type: TypeName) => {
    const gone = [...known].filter(([name]) => !offered.has(name));
    return {
      offered: withResources(
        offered,
        gone.map(([name, { version }]) => leftOver(type, name, version)),
      ),
      news: [...target.values()].filter(
        ({ name, version, onDemand }) => covers(subscription, name, onDemand) && known.get(name)?.version !== version,
      ),
    };
  },
);

/** Turns to a new set; what is under way goes on. */
export function retarget(plan: PushPlan, target: ResourceSet): PushPlan {
  const changed = (type: TypeName): Difference["changed"] =>
    difference(plan.offered[type], target.resources[type]).changed;
  // Only endpoints of new and changed clusters count: endpoints alone come and go all the time.
  const newsOf = (type: TypeName): Iterable<string> =>
    type === "EDS" ? namesReferred(changed("CDS"), "EDS") : changed(type).map(({ name }) => name);
  // What is on offer and not wanted any more may be wanted again before it is confirmed.
  const waitedFor = (type: TypeName): ReadonlyMap<string, string> => {
    const names = new Set([...plan.unconfirmed[type].keys(), ...newsOf(type)]);
    if (names.size === 0) return nothing;
    return new Map([...versionsOf(names, plan.offered[type]), ...versionsOf(names, target.resources[type])]);
  };
  return {
    ...plan,
    target,
    ready: plan.users === "elsewhere" ? plan.ready : target,
    unconfirmed: perType(({ short, gates }) => (gates ? waitedFor(short) : nothing)),
    leaving: stillLeaving(plan.leaving, target),
  };
}

type Difference = ReturnType<typeof difference>;

/** What came back in the meantime stays; were it to go again, it would wait anew. */
function stillLeaving(leaving: PushPlan["leaving"], target: ResourceSet): PushPlan["leaving"] {
  const rest = resourceTypes.flatMap(({ short }) => {
    const one = leaving[short];
    return one === undefined
      ? []
      : [[short, { ...one, names: namesNotIn(one.names, target.resources[short]) }] as const];
  });
  return Object.fromEntries(rest);
}

const namesNotIn = (names: ReadonlySet<string>, resources: ResourceMap): ReadonlySet<string> =>
  new Set([...names].filter((name) => !resources.has(name)));

const versionsOf = (names: Iterable<string>, resources: ResourceMap): ReadonlyMap<string, string> =>
  new Map(
    [...names].flatMap((name) => {
      const resource = resources.get(name);
      return resource === undefined ? [] : [[name, resource.version] as const];
    }),
  );

/** For a type that is alone on its stream: what comes before it elsewhere has had its time with this set. */
export const catchUp = (plan: PushPlan, ready: ResourceSet): PushPlan => ({ ...plan, ready });

const aimOf = ({ target, ready }: PushPlan, { short, gated }: ResourceType): ResourceMap =>
  (gated ? ready : target).resources[short];

/** Puts on offer what may be seen of one type, now that the types before it have been sent. Call in the order of the table. */
export function release(plan: PushPlan, type: ResourceType, types: Progress): PushPlan {
  const { short, usedBy } = type;
  const [before, target] = [plan.offered[short], aimOf(plan, type)];
  if (before === target) return plan;
  const except = short === "EDS" ? endpointsOfUnsent(plan, types) : noNames;
  const next = usedBy.length > 0 ? overlay(before, target, except) : target;
  const open = sameContent(before, next) || gateOpen(plan, type, types);
  return open ? offering(plan, short, next) : { ...plan, gated: true };
}

const offering = (plan: PushPlan, type: TypeName, resources: ResourceMap): PushPlan => ({
  ...plan,
  offered: { ...plan.offered, [type]: resources },
});

/** Endpoints must not overtake their clusters, which an unanswered response may keep back. */
export function endpointsOfUnsent({ offered }: PushPlan, { CDS }: Progress): ReadonlySet<string> {
  if (CDS.subscription === undefined) return noNames;
  const { changed } = difference(CDS.held, offered.CDS);
  return changed.length === 0 ? noNames : namesReferred(changed, "EDS");
}

/** May this type move? All that comes before it in the table must be in place, as far as the proxy asks for it. */
export function gateOpen(plan: PushPlan, { short: type, gated }: ResourceType, types: Progress): boolean {
  if (!gated) return true;
  // It lost its stream in the middle of a change of clusters, and asks for them when it has their endpoints.
  if (plan.users === "returning" && types.EDS.subscription && !types.CDS.subscription) return false;
  const rank = resourceTypes.findIndex(({ short }) => short === type);
  return resourceTypes.slice(0, rank).every(({ short }) => {
    if (types[short].partial) return false;
    const unconfirmed = plan.unconfirmed[short];
    // The proxy asks for endpoints when it has the cluster: who asks for the cluster will ask for them.
    const { subscription } = types[short === "EDS" ? "CDS" : short];
    if (subscription === undefined) return true;
    const missing = unconfirmed.keys().filter((name) => !isInPlace(types[short], name));
    return !missing.some((name) => covers(subscription, name));
  });
}

/** Nothing is on its way, and this resource was not refused: so it came back to what the proxy already has. */
const isInPlace = ({ subscription, awaited, refused }: TypeProgress, name: string): boolean =>
  subscription !== undefined && covers(subscription, name) && !awaited && !refused.has(name);

/** The proxy accepted a response with these resources. */
export function confirm(
  plan: PushPlan,
  type: TypeName,
  resources: readonly { readonly name: string; readonly version: string }[],
): PushPlan {
  const waiting = plan.unconfirmed[type];
  if (waiting.size === 0) return plan;
  const rest = new Map(waiting);
  for (const { name, version } of resources) if (rest.get(name) === version) rest.delete(name);
  return { ...plan, unconfirmed: { ...plan.unconfirmed, [type]: rest } };
}

/** The gate's time is over: whatever is not confirmed is no longer waited for. */
export const openGate = (plan: PushPlan): PushPlan => ({
  ...plan,
  unconfirmed: allConfirmed,
  users: plan.users === "returning" ? "here" : plan.users,
});

/** Lets go of removed resources whose users have been replaced: at once where nobody can see it, else after a grace time. */
export function retire(plan: PushPlan, types: Progress): PushPlan {
  let next = plan;
  for (const type of resourceTypes) {
    const { short, usedBy } = type;
    const gone = difference(next.offered[short], aimOf(next, type)).removed;
    if (usedBy.length === 0 || gone.length === 0 || next.leaving[short] !== undefined) continue;
    if (!areSettled(next, usedBy, types)) continue;
    const [names, usersSeen] = [new Set(gone), countSeen(usedBy, types)];
    const isSeen = types[short].subscription !== undefined && (usersSeen > 0 || next.users !== "here");
    next = isSeen
      ? { ...next, leaving: { ...next.leaving, [short]: { names, usersSeen } } }
      : letGo(next, short, names);
  }
  return next;
}

const countSeen = (users: readonly TypeName[], types: Progress): number =>
  users.filter((user) => types[user].subscription !== undefined).length;

/** The type's grace time is over. It begins anew for users that were asked for in the meantime: the proxy had only come back. */
export function graceOver(plan: PushPlan, { short, usedBy }: ResourceType, types: Progress): PushPlan {
  const { [short]: ended, ...leaving } = plan.leaving;
  const next = { ...plan, leaving };
  return ended !== undefined && countSeen(usedBy, types) === ended.usersSeen ? letGo(next, short, ended.names) : next;
}

const letGo = (plan: PushPlan, type: TypeName, names: ReadonlySet<string>): PushPlan =>
  offering(plan, type, without(plan.offered[type], names));

const areSettled = (plan: PushPlan, users: readonly TypeName[], types: Progress): boolean =>
  plan.users === "elsewhere" || users.every((user) => isSettled(plan, user, types));

/**
 * Has the proxy left the old state of this type? Yes when it was sent the new one and did not refuse any of it. A refused
 * resource means that the proxy still runs the old one, which may use what is to be removed: that wait has no limit, and costs
 * nothing but the kept resources.
 */
function isSettled({ offered, target }: PushPlan, type: TypeName, types: Progress): boolean {
  const { subscription, held, awaited, refused } = types[type];
  // Also for what the proxy does not ask for: it may ask while the old state is still on offer.
  if (offered[type] !== target.resources[type]) return false;
  if (subscription === undefined) return true;
  const stillRefused = [...refused].some((name) => covers(subscription, name) && target.resources[type].has(name));
  return held === offered[type] && !awaited && !stillRefused;
}
