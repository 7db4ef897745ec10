import { compareText } from "../../base/compare-text.ts";
import { memoize } from "../../base/memo.ts";
import type { OrderedMap } from "../../base/ordered-map.ts";
import type { Catalog } from "../../model/catalog.ts";
import type { Instance } from "../../model/instance.ts";
import type { Service, ServiceKey } from "../../model/service.ts";
import type { GuardPolicy } from "./policy.ts";
import { type Arrivals, isTaken } from "./taken.ts";

/**
 * `emptied`: a service without any instance left that could serve. `shrunk`: the registry lost too many at once, this service some of them. `gone`:
 * so it did, and this service is not reported any more. `operator`: somebody decided that nothing goes.
 */
export type HoldReason = "emptied" | "gone" | "shrunk" | "operator";

export interface HeldInstance {
  /** As it was reported when it got requests. */
  readonly instance: Instance;
  readonly sinceMs: number;
}

/** What is held of one service. */
export interface HeldService {
  /** As it was reported last. */
  readonly service: Service;
  readonly reason: HoldReason;
  readonly instances: readonly HeldInstance[];
  /** How many got requests; once as many do again, nothing of it is held. */
  readonly full: number;
  /** All its instances in the order of their ids: those that are reported, and those that are held. */
  readonly list: readonly Instance[];
}

export type Held = OrderedMap<ServiceKey, HeldService>;

/** One service from the last report to the next. */
export interface Step {
  readonly service: Service;
  /** undefined: it is not reported any more. */
  readonly next: Service | undefined;
  readonly before: readonly Instance[];
  readonly after: readonly Instance[];
  /** What was held of it until now. */
  readonly held: HeldService | undefined;
}

export interface Circumstances {
  readonly nowMs: number;
  readonly policy: GuardPolicy;
  /** Nothing goes, by an operator's decision. */
  readonly isPinned: boolean;
  /** The registry lost too many at once. */
  readonly hasShrunk: boolean;
}

/** What is held of a service from now on. */
export function heldOf(step: Step, { nowMs, policy, isPinned, hasShrunk }: Circumstances): HeldService | undefined {
  const { service, next, before, after, held } = step;
  const full = Math.max(held?.full ?? 0, usedIn(before));
  // That one service is gone is said by who took it away; that many are may be said by who forgot them.
  const isDeleted = next === undefined && !hasShrunk;
  const isBelieved = policy.holdMs === 0 || policy.isTrusted(service) || isDeleted || usedIn(after) >= full;
  const reason = isPinned ? "operator" : isBelieved ? undefined : (held?.reason ?? reasonFor(step, hasShrunk));
  if (reason === undefined || (next !== undefined && isAnother(service, next))) return undefined;
  const there = new Set(after.map(({ id }) => id));
  const lost = isPinned ? before.filter(({ id }) => !there.has(id)) : lossOf(before, after).vanished;
  const instances = [
    ...(held?.instances ?? []).filter(({ instance }) => !there.has(instance.id)),
    ...lost.map((instance) => ({ instance, sinceMs: nowMs })),
  ];
  // A service without instances goes at once, but where nothing does.
  if (instances.length === 0 && (next !== undefined || !isPinned)) return undefined;
  return { service, reason, instances, full, list: listOf(after, instances) };
}

function reasonFor({ next, before, after }: Step, hasShrunk: boolean): HoldReason | undefined {
  if (next === undefined) return "gone";
  const isEmpty = after.every(({ health }) => health === "unhealthy");
  if (isEmpty && lossOf(before, after).vanished.length > 0) return "emptied";
  return hasShrunk ? "shrunk" : undefined;
}

/** The name stands for something else now, which the old instances have nothing to do with. */
const isAnother = (before: Service, after: Service): boolean =>
  before.resolution !== after.resolution || before.aliasOf !== after.aliasOf;

/** It gets requests: nobody misses one that does not. */
const isUsed = ({ health }: Instance): boolean => health === "healthy";

export const usedIn = (list: readonly Instance[]): number => list.filter(isUsed).length;

/** What became of instances that got requests. */
interface Loss {
  /** They are not reported any more. */
  readonly vanished: readonly Instance[];
  /** How many are there and get none any more, which is said of each by itself: it drains, or is unhealthy. */
  readonly departed: number;
}

export function lossOf(before: readonly Instance[], after: readonly Instance[]): Loss {
  const health = new Map(after.map((instance) => [instance.id, instance.health]));
  const used = before.filter(isUsed);
  return {
    vanished: used.filter(({ id }) => !health.has(id)),
    departed: used.filter(({ id }) => (health.get(id) ?? "healthy") !== "healthy").length,
  };
}

const none: readonly Instance[] = [];

const listOf = (reported: readonly Instance[], held: readonly HeldInstance[]): readonly Instance[] =>
  [...reported, ...held.map(({ instance }) => instance)].sort((a, b) => compareText(a.id, b.id));

/** Of what is held, the instances that are kept; a service of which none is left is not held any more. */
export function keepOnly(
  held: Held,
  { instances: reported }: Catalog,
  isKept: (item: HeldInstance, of: HeldService) => boolean,
): Held {
  return held.with(
    held.entries().flatMap(([key, item]): [ServiceKey, HeldService | undefined][] => {
      if (item.instances.every((each) => isKept(each, item))) return [];
      const instances = item.instances.filter((each) => isKept(each, item));
      if (instances.length === 0) return [[key, undefined]];
      return [[key, { ...item, instances, list: listOf(reported.get(key) ?? none, instances) }]];
    }),
  );
}

/** Addresses that somebody else has now lead to nobody who was there before. */
export function withoutTaken(held: Held, reported: Catalog, { endpoints, addresses }: Arrivals): Held {
  const isDialled = ({ service }: HeldService) =>
    !reported.services.has(service.key) && service.addresses.some((address) => addresses.has(address));
  const left =
    addresses.size === 0
      ? held
      : held.with(held.entries().flatMap(([key, item]) => (isDialled(item) ? [[key, undefined] as const] : [])));
  return endpoints.size === 0
    ? left
    : keepOnly(left, reported, ({ instance }, { service }) => !isTaken(instance, service, endpoints));
}

export interface HeldTotal {
  readonly instances: number;
  /** Since when the first and the last of them are held. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Some of it because the registry lost too many at once. */
  readonly hasShrunk: boolean;
}

/** Remembered: most reports are of something else. */
export const totalOf: (held: Held) => HeldTotal = memoize((held: Held): HeldTotal => {
  let [count, firstMs, lastMs, hasShrunk] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false];
  for (const { instances, reason } of held.values()) {
    count += instances.length;
    hasShrunk ||= reason === "shrunk" || reason === "gone";
    for (const { sinceMs } of instances) {
      firstMs = Math.min(firstMs, sinceMs);
      lastMs = Math.max(lastMs, sinceMs);
    }
  }
  return { instances: count, firstMs, lastMs, hasShrunk };
});
