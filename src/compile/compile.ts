import { createResourceSet, type Resource, type ResourceSet } from "../envoy/resource-set.ts";
import type { ProxyKind, ProxyNode } from "../model/proxy.ts";
import { type Aspects, createAspects } from "./aspects.ts";
import { withLabels } from "./endpoints.ts";
import { compileGateway } from "./gateway.ts";
import { type Profile, profileOf } from "./profile.ts";
import { repairReferences } from "./references.ts";
import { compileSidecar } from "./sidecar.ts";
import { createViewer, type View } from "./view.ts";
import type { World } from "./world.ts";

/**
 * Compiles worlds into resources. It is a pure function with a memory: what it returns follows from (world, profile)
 * alone, and parts that follow from the same objects are the same objects.
 */
export interface Compiler {
  /** Everything that proxies of this profile get. */
  readonly compile: (world: World, profile: Profile) => ResourceSet;
  /** The same for one proxy. */
  readonly compileFor: (world: World, node: ProxyNode) => ResourceSet;
}

export function createCompiler(): Compiler {
  const aspects = createAspects();
  const viewOf = createViewer();
  const compile = (world: World, profile: Profile): ResourceSet => compileView(viewOf(world, profile), aspects);
  return { compile, compileFor: (world, node) => compile(world, profileOf(world, node)) };
}

const byKind: Readonly<Record<ProxyKind, (view: View, aspects: Aspects) => readonly Resource[]>> = {
  sidecar: compileSidecar,
  gateway: compileGateway,
};

/** Parts come in the order of precedence: where two want one name (listeners on one address), the first has it. */
function compileView(view: View, aspects: Aspects): ResourceSet {
  const resources = firstOfEach([...byKind[view.profile.kind](view, aspects), ...compileServices(view, aspects)]);
  const repairs = repairReferences(resources, (name, reason) => aspects.emptyCluster(view.mesh, name, reason));
  return createResourceSet([...resources, ...repairs]);
}

function firstOfEach(resources: readonly Resource[]): readonly Resource[] {
  const byName = new Map<string, Resource>();
  for (const resource of resources) {
    const key = `${resource.type} ${resource.name}`;
    if (!byName.has(key)) byName.set(key, resource);
  }
  return [...byName.values()];
}

/** The clusters of every service that the proxy may call, one for each subset besides, and their endpoints. */
function compileServices(view: View, aspects: Aspects): readonly Resource[] {
  return view.reachable.flatMap(({ service, port }) => {
    const policy = view.policyFor(service);
    const instances = view.instancesOf(service);
    const resolved = service.resolution === "instances" ? undefined : instances;
    const subsets = [undefined, ...(policy?.subsets.keys() ?? [])];
    return subsets.flatMap((index) => {
      const cluster = aspects.outboundCluster(service, port, view.mesh, policy, resolved, index);
      if (cluster.references.length === 0) return [cluster];
      const labels = index === undefined ? undefined : policy?.subsets[index]?.subset.labels;
      const members = labels === undefined ? instances : aspects.sameList(cluster, withLabels(instances, labels));
      return [cluster, aspects.endpoints(cluster, service, port, members)];
    });
  });
}
