import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import type { ProxyNode } from "../model/proxy.ts";
import { createAspects } from "./aspects.ts";
import { type Assembly, assemble, type Compiled, replaceParts } from "./assembly.ts";
import { partOf } from "./kinds.ts";
import type { Part } from "./parts.ts";
import { type Profile, profileOf, withoutImplemented, withoutPlace } from "./profile.ts";
import type { Reachable } from "./scope.ts";
import { createViewer } from "./view.ts";
import { createInboundJoiner } from "./with-inbound.ts";
import { createPlaceJoiner, type Seen } from "./with-place.ts";
import type { World } from "./world.ts";

/**
 * Compiles worlds into resources. It is a pure function with a memory: what it returns follows from (world, profile)
 * alone, and parts that follow from the same objects are the same objects. For the very profile object of the last call, what
 * only differs in instances is made of the last result.
 */
export interface Compiler {
  /** Everything that proxies of this profile get. */
  readonly compile: (world: World, profile: Profile) => Compiled;
  /** The same for one proxy. */
  readonly compileFor: (world: World, node: ProxyNode) => ResourceSet;
}

/** Hears of the work, to see that it is in proportion to what changed. */
export interface CompilerObserver {
  /** All that a profile may see was gone through. */
  readonly onFrame?: () => void;
  /** One port of a service was looked at for a profile. */
  readonly onService?: () => void;
  /** A resource was made, and not found among those made before. */
  readonly onResource?: (resource: Resource) => void;
}

/** What was made last for a profile, and of which world. */
interface Known {
  readonly world: World;
  readonly assembly: Assembly;
}

export function createCompiler({ onFrame, onService, onResource }: CompilerObserver = {}): Compiler {
  const aspects = createAspects(onResource);
  const viewOf = createViewer(onFrame);
  const memory = new WeakMap<Profile, Known>();
  const joinInbound = createInboundJoiner(aspects);
  const joinPlace = createPlaceJoiner(aspects);
  const compileOutbound = (world: World, profile: Profile): Assembly => {
    const known = memory.get(profile);
    // Every workload around it asks for the same.
    if (known?.world === world) return known.assembly;
    const view = viewOf(world, profile);
    const makePart = (one: Reachable): Part => {
      onService?.();
      return partOf(one, view, aspects);
    };
    const last = known?.assembly;
    const replaced = last && replaceParts(last, view, makePart);
    // Part of it is handed on: whatever goes wrong now, nobody is to go on from there.
    if (replaced === undefined) memory.delete(profile);
    const assembly = replaced ?? assemble(last, view, aspects, makePart);
    memory.set(profile, { world, assembly });
    return assembly;
  };
  /** All of a profile's that does not depend on what is implemented. */
  const compilePlaced = (world: World, profile: Profile): Seen =>
    profile.place === undefined
      ? compileOutbound(world, profile)
      : joinPlace(profile, compileOutbound(world, withoutPlace(profile)));
  const compile = (world: World, profile: Profile): Compiled =>
    profile.implemented === undefined
      ? compilePlaced(world, profile).compiled
      : joinInbound(profile, world, compilePlaced(world, withoutImplemented(profile)));
  return { compile, compileFor: (world, node) => compile(world, profileOf(world, node)) };
}
