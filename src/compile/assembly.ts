import { memoize } from "../base/memo.ts";
import {
  createResourceSet,
  type Reference,
  type Repair,
  type Resource,
  type ResourceSet,
} from "../envoy/resource-set.ts";
import { perType } from "../envoy/resource-types.ts";
import type { ProxyKind } from "../model/proxy.ts";
import type { Aspects } from "./aspects.ts";
import { type Broken, keep, type Report } from "./broken.ts";
import { compileGateway } from "./gateway.ts";
import { guardAspects } from "./guard.ts";
import { compileProxyless, compileProxylessService } from "./proxyless.ts";
import { envoyPlaceholders, type MakePlaceholders, type Repaired, repairReferences } from "./references.ts";
import type { Reachable } from "./scope.ts";
import { compileService } from "./services.ts";
import { compileSidecar } from "./sidecar.ts";
import type { View } from "./view.ts";

/** A set in which nothing dangles. */
export interface Compiled extends ResourceSet {
  /** What could not be compiled, and how more of it can be saved by who knows what there was before; mostly empty. */
  readonly broken: readonly Broken[];
  /** Makes references whole again where a part of the set was replaced, in a form that proxies of this kind take. */
  readonly repair: (resources: readonly Resource[]) => Repaired;
}

/** A compiled set and what it was put together from: where only instances change, the next one is this with some parts replaced. */
export interface Assembly {
  readonly view: View;
  readonly compiled: Compiled;
  /** Handed on from one assembly to the next, which changes it: only the newest one of a profile may be used. */
  readonly parts: Map<Reachable, Part>;
}

/** What comes of one port of a service. */
export interface Part {
  readonly resources: readonly Resource[];
  readonly broken: readonly Broken[];
}

interface Kind {
  /** What does not depend on instances. Comes first: where two want one name (listeners on one address), the first has it. */
  readonly own: (view: View, aspects: Aspects, report: Report) => readonly Resource[];
  readonly service: (one: Reachable, view: View, aspects: Aspects, report: Report) => readonly Resource[];
  /** What stands in for what is named and not there. */
  readonly placeholders: (view: View, aspects: Aspects) => MakePlaceholders;
}

const placeholdersOfEnvoy: Kind["placeholders"] = ({ mesh }, { placeholder }) => envoyPlaceholders(mesh, placeholder);

const byKind: Readonly<Record<ProxyKind, Kind>> = {
  sidecar: {
    own: (view, aspects, report) => compileSidecar(view, guardAspects(aspects, report)),
    service: compileService,
    placeholders: placeholdersOfEnvoy,
  },
  gateway: {
    own: (view, aspects, report) => compileGateway(view, guardAspects(aspects, report)),
    service: compileService,
    placeholders: placeholdersOfEnvoy,
  },
  proxyless: {
    own: (view, aspects, report) => compileProxyless(view, guardAspects(aspects, report)),
    service: compileProxylessService,
    placeholders: placeholdersOfClient,
  },
};

/** Those that a gRPC client takes. */
function placeholdersOfClient({ mesh }: View, aspects: Aspects): MakePlaceholders {
  const others = envoyPlaceholders(mesh, aspects.placeholder);
  return (missing, reason) =>
    missing.type === "CDS" ? aspects.emptyClientCluster(mesh, missing.name, reason) : others(missing, reason);
}

/** Compiles one part of what a view asks for. */
export function partOf(one: Reachable, view: View, aspects: Aspects): Part {
  const broken: Broken[] = [];
  const resources = byKind[view.profile.kind].service(one, view, aspects, (report) => {
    broken.push(report);
  });
  return { resources, broken };
}

/** Everything, from the beginning. */
export function assemble(view: View, aspects: Aspects, makePart: (one: Reachable) => Part): Assembly {
  const kind = byKind[view.profile.kind];
  const ownBroken: Broken[] = [];
  const own = kind.own(view, aspects, (one) => {
    ownBroken.push(one);
  });
  const parts = new Map(view.reachable.map((one) => [one, makePart(one)]));
  const all = [...parts.values()];
  const compiled = firstOfEach([...own, ...all.flatMap(({ resources }) => resources)]);
  // A name that another has is not broken.
  const inPlace = [...ownBroken, ...all.flatMap(({ broken }) => broken)].filter(
    (one) => compiled.find((resource) => isSame(resource, one)) === one.standIn,
  );
  const placeholders = kind.placeholders(view, aspects);
  const repair = (resources: readonly Resource[]): Repaired => repairReferences(resources, placeholders);
  const { resources, repairs } = repair(compiled);
  return {
    view,
    parts,
    compiled: {
      ...createResourceSet(resources, [...inPlace.map(repairOf), ...repairs]),
      broken: [...inPlace, ...repairs.filter(({ kind: how }) => how === "broken").map(withoutStandIn)],
      repair,
    },
  };
}

/**
 * The next assembly where only instances differ: the parts of their services are made anew, and take the place of the old ones.
 * Undefined where more may follow from the change, and all must be looked at again.
 */
export function replaceParts(last: Assembly, view: View, makePart: (one: Reachable) => Part): Assembly | undefined {
  if (last.view.frame !== view.frame) return undefined;
  const touched = changedServices(last.view.instances, view.instances).flatMap((key) => view.reachableOf(key));
  if (touched.length === 0) return { ...last, view };
  const replaced = touched.map((one) => ({ one, before: last.parts.get(one), after: makePart(one) }));
  if (!replaced.every(({ before, after }) => before && isReplaceable(last.compiled, before, after))) return undefined;
  const resources = replaced.flatMap(({ after }) => after.resources);
  for (const { one, after } of replaced) last.parts.set(one, after);
  return {
    view,
    parts: last.parts,
    compiled: {
      ...last.compiled,
      resources: perType(({ short }) =>
        last.compiled.resources[short].with(
          resources.filter(({ type }) => type === short).map((resource) => [resource.name, resource]),
        ),
      ),
    },
  };
}

const changedServices = memoize((before: View["instances"], after: View["instances"]) =>
  before.changesTo(after).map(({ key }) => key),
);

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

const repairOf = ({ type, name, error }: Broken): Repair => ({ type, name, kind: "broken", reason: error.message });

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
