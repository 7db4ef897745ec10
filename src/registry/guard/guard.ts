import { OrderedMap } from "../../base/ordered-map.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { Instance } from "../../model/instance.ts";
import type { ServiceKey } from "../../model/service.ts";
import { type Course, movedTo, peakOf, steady } from "./course.ts";
import {
  type Circumstances,
  type Held,
  type HeldService,
  heldOf,
  keepOnly,
  lossOf,
  totalOf,
  usedIn,
  withoutTaken,
} from "./held.ts";
import type { GuardPolicy } from "./policy.ts";
import { arrivalsIn } from "./taken.ts";

/*
 * Losses that look like a failure of who reports them are held for a while: the registry answers, and says of a service that it has
 * no instances left, or that a large part of all instances is gone. What it says of an instance itself, and what else it reports counts at once.
 */

/** What a registry reports, and what is made of it. Times are milliseconds of one clock that only goes forward. */
export interface Guard {
  readonly reported: Catalog;
  /** That, and what is held. */
  readonly served: Catalog;
  readonly held: Held;
  /** Nothing goes until somebody says so. */
  readonly isPinned: boolean;
  /** Of instances that get requests and those that took their leave: it falls by what was not to be expected, and by nothing else. */
  readonly course: Course;
  /** How many took their leave. */
  readonly departed: number;
}

/** Fewer instances than these may always go, however small the registry. */
const minLoss = 3;

/** All is as it is reported. */
export const begin = (catalog: Catalog): Guard => ({
  reported: catalog,
  served: catalog,
  held: OrderedMap.of(),
  isPinned: false,
  course: steady(catalog.instances.values().reduce((sum, list) => sum + usedIn(list), 0)),
  departed: 0,
});

/** The next report. The work is in proportion to the lists that differ; who newly comes is looked for among all that is held. */
export function take(guard: Guard, reported: Catalog, nowMs: number, policy: GuardPolicy): Guard {
  const { isPinned } = guard;
  const lists = guard.reported.instances.changesTo(reported.instances);
  const services = guard.reported.services.changesTo(reported.services);
  let [growth, departures] = [0, 0];
  for (const { before = none, after = none } of lists) {
    growth += usedIn(after) - usedIn(before);
    departures += lossOf(before, after).departed;
  }
  const departed = guard.departed + departures;
  const course = movedTo(guard.course, guard.course.value + growth + departures, nowMs, policy.holdMs);
  const hasShrunk = totalOf(guard.held).hasShrunk || isTooMuch(course, departed, nowMs, policy);

  const circumstances = { nowMs, policy, isPinned, hasShrunk };
  const touched = new Set([...lists, ...services].map(({ key }) => key));
  const held = guard.held.with(
    touched.values().map((key) => [key, heldNext(key, guard, reported, circumstances)] as const),
  );
  const left =
    held.size === 0 ? held : withoutTaken(held, reported, arrivalsIn(lists, services, guard.served, reported));
  return { reported, served: serve(guard, reported, left, touched), held: left, isPinned, course, departed };
}

/** What was held for long enough is gone. */
export function expire(guard: Guard, nowMs: number, { holdMs }: GuardPolicy): Guard {
  if (guard.isPinned) return guard;
  const held = keepOnly(guard.held, guard.reported, ({ sinceMs }) => sinceMs + holdMs > nowMs);
  return held === guard.held ? guard : { ...guard, held, served: serve(guard, guard.reported, held, []) };
}

/** When `expire` has something to do, first and last; undefined: never. */
export function expiryOf(
  { held, isPinned }: Guard,
  { holdMs }: GuardPolicy,
): { readonly first: number; readonly last: number } | undefined {
  if (isPinned || held.size === 0) return undefined;
  const { firstMs, lastMs } = totalOf(held);
  return { first: firstMs + holdMs, last: lastMs + holdMs };
}

/** Each removal is held for its whole time again: who reports was away meanwhile. */
export const renew = (guard: Guard, nowMs: number): Guard => ({
  ...guard,
  held: guard.held.with(
    guard.held.entries().map(([key, item]) => {
      const instances = item.instances.map(({ instance }) => ({ instance, sinceMs: nowMs }));
      return [key, { ...item, instances }];
    }),
  ),
});

/** Nothing goes from now on. */
export const pin = (guard: Guard): Guard => ({ ...guard, isPinned: true });

/** What is reported counts, all of it. */
export const release = (guard: Guard): Guard => ({
  ...guard,
  served: guard.reported,
  held: OrderedMap.of(),
  isPinned: false,
  course: steady(guard.course.value),
});

const none: readonly Instance[] = [];

function isTooMuch(course: Course, departed: number, nowMs: number, { holdMs, maxShrink }: GuardPolicy): boolean {
  const peak = peakOf(course, nowMs - holdMs);
  const loss = peak - course.value;
  return loss >= minLoss && loss > maxShrink * (peak - departed);
}

/** What is reported, and what is held: that of before, but for what was touched. */
function serve(last: Guard, reported: Catalog, held: Held, touched: Iterable<ServiceKey>): Catalog {
  if (held.size === 0) return reported;
  const { services, instances } = last.served;
  const keys = [...new Set([...touched, ...last.held.changesTo(held).map(({ key }) => key)])];
  return {
    services: services.with(keys.map((key) => [key, reported.services.get(key) ?? held.get(key)?.service])),
    instances: instances.with(keys.map((key) => [key, held.get(key)?.list ?? reported.instances.get(key)])),
  };
}

function heldNext(
  key: ServiceKey,
  guard: Guard,
  reported: Catalog,
  circumstances: Circumstances,
): HeldService | undefined {
  const held = guard.held.get(key);
  const service = guard.reported.services.get(key) ?? held?.service;
  if (service === undefined) return undefined;
  const before = guard.reported.instances.get(key) ?? none;
  const after = reported.instances.get(key) ?? none;
  return heldOf({ service, next: reported.services.get(key), before, after, held }, circumstances);
}
