import {
  createResourceSet,
  type Reference,
  type Repair,
  type Resource,
  type ResourceSet,
} from "../envoy/resource-set.ts";
import type { ProxyKind, ProxyNode } from "../model/proxy.ts";
import { type Aspects, createAspects } from "./aspects.ts";
import { type Broken, keep } from "./broken.ts";
import { compileGateway } from "./gateway.ts";
import { guardAspects } from "./guard.ts";
import { type Profile, profileOf } from "./profile.ts";
import { envoyPlaceholders, type Repaired, repairReferences } from "./references.ts";
import { compileServices } from "./services.ts";
import { compileSidecar } from "./sidecar.ts";
import { createViewer, type View } from "./view.ts";
import type { World } from "./world.ts";

/**
 * Compiles worlds into resources. It is a pure function with a memory: what it returns follows from (world, profile)
 * alone, and parts that follow from the same objects are the same objects.
 */
export interface Compiler {
  /** Everything that proxies of this profile get. */
  readonly compile: (world: World, profile: Profile) => Compiled;
  /** The same for one proxy. */
  readonly compileFor: (world: World, node: ProxyNode) => ResourceSet;
}

/** A set in which nothing dangles. */
export interface Compiled extends ResourceSet {
  /** What could not be compiled, and how more of it can be saved by who knows what there was before; mostly empty. */
  readonly broken: readonly Broken[];
  /** Makes references whole again where a part of the set was replaced, in a form that proxies of this kind take. */
  readonly repair: (resources: readonly Resource[]) => Repaired;
}

export function createCompiler(): Compiler {
  const aspects = createAspects();
  const viewOf = createViewer();
  const compile = (world: World, profile: Profile): Compiled => compileView(viewOf(world, profile), aspects);
  return { compile, compileFor: (world, node) => compile(world, profileOf(world, node)) };
}

const byKind: Readonly<Record<ProxyKind, (view: View, aspects: Aspects) => readonly Resource[]>> = {
  sidecar: compileSidecar,
  gateway: compileGateway,
};

/** Parts come in the order of precedence: where two want one name (listeners on one address), the first has it. */
function compileView(view: View, aspects: Aspects): Compiled {
  const broken: Broken[] = [];
  const report = (one: Broken): void => {
    broken.push(one);
  };
  const own = byKind[view.profile.kind](view, guardAspects(aspects, report));
  const compiled = firstOfEach([...own, ...compileServices(view, aspects, report)]);
  // A name that another has is not broken.
  const inPlace = broken.filter((one) => compiled.find((resource) => isSame(resource, one)) === one.standIn);
  const placeholders = envoyPlaceholders(view.mesh, aspects.placeholder);
  const repair = (resources: readonly Resource[]): Repaired => repairReferences(resources, placeholders);
  const { resources, repairs } = repair(compiled);
  return {
    ...createResourceSet(resources, [...inPlace.map(repairOf), ...repairs]),
    broken: [...inPlace, ...repairs.filter(({ kind }) => kind === "broken").map(withoutStandIn)],
    repair,
  };
}

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
