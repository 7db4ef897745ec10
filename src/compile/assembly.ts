import {
  createResourceSet,
  type Reference,
  type Repair,
  type Resource,
  type ResourceSet,
} from "../envoy/resource-set.ts";
import { perType } from "../envoy/resource-types.ts";
import type { Aspects } from "./aspects.ts";
import { type Broken, keep, repairOf } from "./broken.ts";
import { kinds } from "./kinds.ts";
import { isPerInstance } from "./listener-claims.ts";
import type { Own } from "./own.ts";
import { changedServices, isFrom, type Part, sameSources, sourcesOf } from "./parts.ts";
import { ReferenceIndex } from "./reference-index.ts";
import { type Repaired, repairReferences } from "./references.ts";
import type { Reachable } from "./scope.ts";
import type { View } from "./view.ts";

/** A set in which nothing dangles. */
export interface Compiled extends ResourceSet {
  /** What could not be compiled, and how more of it can be saved by who knows what there was before; mostly empty. */
  readonly broken: readonly Broken[];
  /** Makes references whole again where a part of the set was replaced, in a form that proxies of this kind take. */
  readonly repair: (resources: readonly Resource[]) => Repaired;
}

/** A compiled set and what it was put together from: mostly the next one is this with some parts replaced. */
export interface Assembly {
  readonly view: View;
  readonly compiled: Compiled;
  readonly own: Own;
  /** Handed on from one assembly to the next, which changes them: only the newest one of a profile may be used. */
  readonly parts: Map<Reachable, Part>;
  /** Undefined where something is broken, dangles or has the name of another. */
  readonly index: ReferenceIndex | undefined;
}

type MakePart = (one: Reachable) => Part;

/** Everything, with those parts of the last assembly that are of the same things. */
export function assemble(last: Assembly | undefined, view: View, aspects: Aspects, makePart: MakePart): Assembly {
  const kind = kinds[view.profile.kind];
  const ownBroken: Broken[] = [];
  const own = kind.own(view, aspects, (one) => {
    ownBroken.push(one);
  });
  const isSame = sameSources(last?.view, view);
  const parts = new Map(
    view.reachable.map((one) => {
      const before = last?.parts.get(one);
      const serves = before !== undefined && (isSame(one) || isFrom(before, sourcesOf(one, view)));
      return [one, serves ? before : makePart(one)];
    }),
  );
  const broken = [...ownBroken, ...[...parts.values()].flatMap((part) => part.broken)];
  return (
    (last !== undefined && broken.length === 0 ? exchange(last, view, aspects, own, parts) : undefined) ??
    putTogether(view, aspects, { own, parts, broken })
  );
}

/** The last set with what is new in the place of what is gone; undefined where that leaves more to do. */
function exchange(
  last: Assembly,
  view: View,
  aspects: Aspects,
  own: Assembly["own"],
  parts: Assembly["parts"],
): Assembly | undefined {
  const { index, compiled } = last;
  const owned = without(own.resources, last.own.resources);
  const disowned = without(last.own.resources, own.resources);
  const come = [...parts].filter(([one, part]) => last.parts.get(one) !== part).map(([, part]) => part);
  const gone = [...last.parts].filter(([one, part]) => parts.get(one) !== part).map(([, part]) => part);
  const added = [...owned, ...come.flatMap(({ resources }) => resources)];
  const removed = [...disowned, ...gone.flatMap(({ resources }) => resources)];
  if (index?.replace(removed, added) !== true) return undefined;
  const resources = edited(compiled, removed, added);
  const repairs = own.conflicts.length === 0 && compiled.repairs.length === 0 ? compiled.repairs : own.conflicts;
  return { view, own, parts, index, compiled: { ...compiled, resources, repairs, repair: repairIn(view, aspects) } };
}

const without = <T>(list: readonly T[], others: readonly T[]): readonly T[] => {
  const known = new Set(others);
  return list.filter((one) => !known.has(one));
};

const edited = (
  { resources }: Compiled,
  removed: readonly Resource[],
  added: readonly Resource[],
): Compiled["resources"] => {
  const edits = perType(() => new Map<string, Resource | undefined>());
  for (const { type, name } of removed) edits[type].set(name, undefined);
  for (const resource of added) edits[resource.type].set(resource.name, resource);
  return perType(({ short }) => resources[short].with(edits[short]));
};

function repairIn(view: View, aspects: Aspects): Compiled["repair"] {
  const placeholders = kinds[view.profile.kind].placeholders(view, aspects);
  return (resources) => repairReferences(resources, placeholders);
}

/** From the beginning: of two resources of one name the first counts, and nothing dangles in the end. */
function putTogether(
  view: View,
  aspects: Aspects,
  { own, parts, broken }: Pick<Assembly, "own" | "parts"> & Pick<Compiled, "broken">,
): Assembly {
  const all = [...own.resources, ...[...parts.values()].flatMap((part) => part.resources)];
  const named = firstOfEach(all);
  // A name that another has is not broken.
  const inPlace = broken.filter((one) => named.find((resource) => isSame(resource, one)) === one.standIn);
  const repair = repairIn(view, aspects);
  const { resources, repairs } = repair(named);
  const isWhole = broken.length + repairs.length === 0 && named.length === all.length;
  return {
    view,
    own,
    parts,
    index: isWhole ? new ReferenceIndex(all) : undefined,
    compiled: {
      ...createResourceSet(resources, [...inPlace.map(repairOf), ...repairs, ...own.conflicts]),
      broken: [...inPlace, ...repairs.filter(({ kind: how }) => how === "broken").map(withoutStandIn)],
      repair,
    },
  };
}

/**
 * The next assembly where only instances and DestinationRules differ: the parts of their services are made anew, and take the place of
 * the old ones.
 * Undefined where more may follow from the change, and all must be looked at again.
 */
export function replaceParts(last: Assembly, view: View, makePart: MakePart): Assembly | undefined {
  if (last.view.frame !== view.frame) return undefined;
  const changed = changedServices(last.view.instances, view.instances);
  const touched = new Set([...changed].flatMap((key) => view.reachableOf(key)));
  if (last.view.policies !== view.policies) {
    for (const [one, { from }] of last.parts) if (from.policy !== view.policyFor(one.service)) touched.add(one);
  }
  if ([...touched].some(({ service, port }) => isPerInstance({ service, port }))) return undefined;
  if (touched.size === 0) return { ...last, view };
  const replaced = [...touched].map((one) => ({ one, before: last.parts.get(one), after: makePart(one) }));
  if (!replaced.every(({ before, after }) => before && isReplaceable(last.compiled, before, after))) return undefined;
  for (const { one, after } of replaced) last.parts.set(one, after);
  const resources = replaced.flatMap(({ after }) => after.resources);
  return { ...last, view, compiled: { ...last.compiled, resources: edited(last.compiled, [], resources) } };
}

/** Do these resources just take the place of the ones before: same names, same references, nobody else's and whole? */
const isReplaceable = ({ resources }: Compiled, before: Part, after: Part): boolean =>
  before.broken.length + after.broken.length === 0 &&
  before.resources.length === after.resources.length &&
  before.resources.every((old, index) => {
    const next = after.resources[index];
    return next !== undefined && isAlike(old, next) && resources[old.type].get(old.name) === old;
  });

const isAlike = (a: Resource, b: Resource): boolean =>
  isSame(a, b) &&
  a.references.length === b.references.length &&
  a.references.every((reference, index) => {
    const other = b.references[index];
    return other !== undefined && isSame(reference, other);
  });

const isSame = (a: Reference, b: Reference): boolean => a.type === b.type && a.name === b.name;

const withoutStandIn = ({ type, name, reason }: Repair): Broken => ({
  ...{ type, name, error: new Error(reason), standIn: undefined },
  rescue: keep({ type, name }),
});

function firstOfEach(resources: readonly Resource[]): readonly Resource[] {
  const byName = new Map<string, Resource>();
  for (const resource of resources) {
    const key = `${resource.type} ${resource.name}`;
    if (!byName.has(key)) byName.set(key, resource);
  }
  return [...byName.values()];
}
