import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { perType, type ResourceType, resourceTypes, type TypeName } from "../envoy/resource-types.ts";
import {
  difference,
  noNames,
  overlay,
  type ResourceMap,
  restricted,
  sameContent,
  type VersionMap,
} from "./resource-map.ts";
import { covers, type Subscription } from "./subscription.ts";

/** How far the proxy is with one type. */
export interface TypeProgress {
  readonly subscription: Subscription | undefined;
  /** What was on offer when the proxy was last brought up to date. */
  readonly held: VersionMap;
  readonly answer: Answer;
  /** Names that were refused in the version last sent. */
  readonly refused: ReadonlySet<string>;
}

/**
 * What the proxy said to the latest response of a type: `none` was sent; it is `awaited`; the wait ran out (`overdue`); it was
 * `accepted` or `refused`. Only `awaited` keeps the next response of the type back.
 */
export type Answer = "none" | "awaited" | "overdue" | "accepted" | "refused";

/** What may be seen, of each type. */
export type Offered = Readonly<Record<TypeName, ResourceMap>>;

type Progress = Readonly<Record<TypeName, TypeProgress>>;

/**
 * Make before break, for one stream: what may be seen of a new resource set, and when.
 *
 *     clusters ─► endpoints ─────────► listeners ─────────────► routes ─────────────► removals
 *     at once     each after its       when clusters and        when listeners are    when what used them is
 *                 cluster was sent     endpoints are in place   in place as well      confirmed, and a grace time
 *
 * A type's `offered` resources move towards those of `target`; the stream's machine sends whatever differs from what the proxy
 * holds. "In place" is: confirmed by the proxy; the gate's timer bounds the wait. A first answer waits for nothing.
 */
export interface PushPlan {
  readonly target: ResourceSet;
  readonly offered: Offered;
  /** Put on offer, and not confirmed by the proxy: name to the version that listeners and routes wait for. */
  readonly unconfirmed: Readonly<Record<TypeName, ReadonlyMap<string, string>>>;
  /** Something is kept back by a closed gate. */
  readonly gated: boolean;
  /** Names that are gone when the type's grace time is over. */
  readonly leaving: Readonly<Partial<Record<TypeName, ReadonlySet<string>>>>;
}

const nothing: ReadonlyMap<string, string> = new Map();
const allConfirmed: PushPlan["unconfirmed"] = perType(() => nothing);
const none: readonly Resource[] = [];

/** For a stream that has got nothing yet: everything is on offer. */
export const startPlan = (target: ResourceSet): PushPlan => ({
  target,
  offered: target.resources,
  unconfirmed: allConfirmed,
  gated: false,
  leaving: {},
});

/** Turns to a new set; what is under way goes on. */
export function retarget(plan: PushPlan, target: ResourceSet): PushPlan {
  const waitedFor = (type: TypeName): ReadonlyMap<string, string> => {
    const { changed } = difference(plan.offered[type], target.resources[type]);
    const names = new Set([...plan.unconfirmed[type].keys(), ...changed.map(({ name }) => name)]);
    return versionsOf(names, target.resources[type]);
  };
  const clusters = waitedFor("CDS");
  // Only endpoints of new and changed clusters count: endpoints alone come and go all the time.
  const endpoints = new Set([...plan.unconfirmed.EDS.keys(), ...clusters.keys()]);
  return {
    ...plan,
    target,
    unconfirmed: {
      ...allConfirmed,
      CDS: clusters,
      EDS: versionsOf(endpoints, target.resources.EDS),
      LDS: waitedFor("LDS"),
      RDS: nothing,
    },
    leaving: stillLeaving(plan.leaving, target),
  };
}

/** What came back in the meantime stays; were it to go again, it would wait anew. */
function stillLeaving(leaving: PushPlan["leaving"], target: ResourceSet): PushPlan["leaving"] {
  const rest = resourceTypes.flatMap(({ short }) => {
    const names = leaving[short];
    return names === undefined ? [] : [[short, namesNotIn(names, target.resources[short])] as const];
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

/** Puts on offer what may be seen of one type, now that the types before it have been sent. Call in the order of the table. */
export function release(plan: PushPlan, { short, usedBy }: ResourceType, types: Progress): PushPlan {
  const [before, target] = [plan.offered[short], plan.target.resources[short]];
  if (before === target) return plan;
  const except = short === "EDS" ? unsentClusters(plan, types) : none;
  const next = usedBy.length > 0 ? overlay(before, target, except) : target;
  if (next === before) return plan;
  const open = sameContent(before, next) || gateOpen(plan, short, types);
  return open ? offering(plan, short, next) : { ...plan, gated: true };
}

const offering = (plan: PushPlan, type: TypeName, resources: ResourceMap): PushPlan => ({
  ...plan,
  offered: { ...plan.offered, [type]: resources },
});

/** Clusters that an unanswered response keeps back. Their endpoints must not overtake them. */
function unsentClusters({ offered }: PushPlan, { CDS }: Progress): readonly Resource[] {
  return CDS.subscription === undefined ? none : difference(CDS.held, offered.CDS).changed;
}

/** May listeners (routes) move? All that comes before them in the table must be in place, as far as the proxy asks for it. */
function gateOpen({ unconfirmed }: PushPlan, type: TypeName, types: Progress): boolean {
  if (type === "CDS" || type === "EDS") return true;
  const rank = resourceTypes.findIndex(({ short }) => short === type);
  return resourceTypes.slice(0, rank).every(({ short }) => {
    if (unconfirmed[short].size === 0) return true;
    // The proxy asks for endpoints when it has the cluster: who asks for the cluster will ask for them.
    const { subscription } = types[short === "EDS" ? "CDS" : short];
    if (subscription === undefined) return true;
    const missing = unconfirmed[short].keys().filter((name) => !isInPlace(types[short], name));
    return !missing.some((name) => covers(subscription, name));
  });
}

/** Nothing is on its way, and this resource was not refused: so it came back to what the proxy already has. */
const isInPlace = ({ subscription, answer, refused }: TypeProgress, name: string): boolean =>
  subscription !== undefined && covers(subscription, name) && answer !== "awaited" && !refused.has(name);

/** The proxy accepted a response with these resources. */
export function confirm(plan: PushPlan, type: TypeName, resources: readonly Resource[]): PushPlan {
  if (plan.unconfirmed[type].size === 0) return plan;
  const rest = new Map(plan.unconfirmed[type]);
  for (const { name, version } of resources) if (rest.get(name) === version) rest.delete(name);
  return { ...plan, unconfirmed: { ...plan.unconfirmed, [type]: rest } };
}

/** The gate's time is over: whatever is not confirmed is no longer waited for. */
export const openGate = (plan: PushPlan): PushPlan => ({ ...plan, unconfirmed: allConfirmed });

/** Lets go of removed resources whose users have been replaced: at once where nobody can see it, else after a grace time. */
export function retire(plan: PushPlan, types: Progress): PushPlan {
  let next = plan;
  for (const { short, usedBy } of resourceTypes) {
    const gone = difference(next.offered[short], next.target.resources[short]).removed;
    if (usedBy.length === 0 || gone.length === 0 || next.leaving[short] !== undefined) continue;
    if (!usedBy.every((user) => isSettled(next, user, types))) continue;
    const seen = types[short].subscription !== undefined;
    const used = usedBy.some((user) => types[user].subscription !== undefined);
    next = { ...next, leaving: { ...next.leaving, [short]: new Set(gone) } };
    if (!seen || !used) next = graceOver(next, short);
  }
  return next;
}

/** The type's grace time is over. */
export function graceOver(plan: PushPlan, type: TypeName): PushPlan {
  const { [type]: names = noNames, ...leaving } = plan.leaving;
  const rest = restricted(plan.offered[type], (name) => !names.has(name));
  return { ...offering(plan, type, rest), leaving };
}

/**
 * Has the proxy left the old state of this type? Yes when it was sent the new one and did not refuse any of it. A refused
 * resource means that the proxy still runs the old one, which may use what is to be removed: that wait has no limit, and costs
 * nothing but the kept resources.
 */
function isSettled({ offered, target }: PushPlan, type: TypeName, types: Progress): boolean {
  const { subscription, answer, refused } = types[type];
  // Also for what the proxy does not ask for: it may ask while the old state is still on offer.
  if (offered[type] !== target.resources[type]) return false;
  if (subscription === undefined) return true;
  const stillRefused = [...refused].some((name) => covers(subscription, name) && target.resources[type].has(name));
  return answer !== "awaited" && !stillRefused;
}
