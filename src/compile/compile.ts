import {
  createResourceSet,
  type Reference,
  type Repair,
  type Resource,
  type ResourceSet,
} from "../envoy/resource-set.ts";
import type { ProxyKind, ProxyNode } from "../model/proxy.ts";
import { type Aspects, createAspects } from "./aspects.ts";
import { type Broken, keep, type Report } from "./broken.ts";
import { compileGateway } from "./gateway.ts";
import { guardAspects } from "./guard.ts";
import { type Profile, profileOf } from "./profile.ts";
import { compileProxyless } from "./proxyless.ts";
import { envoyPlaceholders, type MakePlaceholders, type Repaired, repairReferences } from "./references.ts";
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

interface Kind {
  /** Parts come in the order of precedence: where two want one name (listeners on one address), the first has it. */
  readonly compile: (view: View, aspects: Aspects, report: Report) => readonly Resource[];
  /** What stands in for what is named and not there. */
  readonly placeholders: (view: View, aspects: Aspects) => MakePlaceholders;
}

const byKind: Readonly<Record<ProxyKind, Kind>> = {
  sidecar: {
    compile: (view, aspects, report) => [
      ...compileSidecar(view, guardAspects(aspects, report)),
      ...compileServices(view, aspects, report),
    ],
    placeholders: ({ mesh }, { placeholder }) => envoyPlaceholders(mesh, placeholder),
  },
  gateway: {
    compile: (view, aspects, report) => [
      ...compileGateway(view, guardAspects(aspects, report)),
      ...compileServices(view, aspects, report),
    ],
    placeholders: ({ mesh }, { placeholder }) => envoyPlaceholders(mesh, placeholder),
  },
  proxyless: {
    compile: (view, aspects, report) => compileProxyless(view, guardAspects(aspects, report)),
    placeholders: clientPlaceholders,
  },
};

/** Those that a gRPC client takes. */
function clientPlaceholders({ mesh }: View, aspects: Aspects): MakePlaceholders {
  const others = envoyPlaceholders(mesh, aspects.placeholder);
  return (missing, reason) =>
    missing.type === "CDS" ? aspects.emptyClientCluster(mesh, missing.name, reason) : others(missing, reason);
}

function compileView(view: View, aspects: Aspects): Compiled {
  const kind = byKind[view.profile.kind];
  const broken: Broken[] = [];
  const compiled = firstOfEach(
    kind.compile(view, aspects, (one) => {
      broken.push(one);
    }),
  );
  // A name that another has is not broken.
  const inPlace = broken.filter((one) => compiled.find((resource) => isSame(resource, one)) === one.standIn);
  const placeholders = kind.placeholders(view, aspects);
  const repair = (resources: readonly Resource[]): Repaired => repairReferences(resources, placeholders);
  const { resources, repairs } = repair(compiled);
  return {
    ...createResourceSet(resources, [...inPlace.map(repairOf), ...repairs]),
    broken: [...inPlace, ...repairs.filter(({ kind: how }) => how === "broken").map(withoutStandIn)],
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
