import { virtualInbound } from "../envoy/names.ts";
import type { Repair, Resource } from "../envoy/resource-set.ts";
import { perType } from "../envoy/resource-types.ts";
import { proxiedPort } from "../model/port.ts";
import type { Aspects } from "./aspects.ts";
import type { Compiled } from "./assembly.ts";
import { attempt, type Broken, brokenListener, repairOf } from "./broken.ts";
import { findImplemented } from "./implemented.ts";
import { type InboundTarget, inboundPort } from "./inbound.ts";
import type { Profile } from "./profile.ts";
import { reachable } from "./scope.ts";
import type { Seen } from "./with-place.ts";
import { rulesUnderHolds, type World } from "./world.ts";

/** What a sidecar has for its workload's own services, besides all that it has in common with others. */
interface Inbound {
  readonly resources: readonly Resource[];
  readonly conflicts: readonly Repair[];
  readonly broken: readonly Broken[];
}

interface Known {
  readonly outbound: Compiled;
  readonly inbound: Inbound;
  readonly compiled: Compiled;
}

/**
 * Completes what the sidecars around a workload have in common by what its own services ask for: a mesh has more workloads than ways to see
 * it, and each costs only its own part. The same parts are the same set.
 */
export function createInboundJoiner(aspects: Aspects): (profile: Profile, world: World, outbound: Seen) => Compiled {
  const last = new WeakMap<Profile, Known>();
  return (profile, world, { view, compiled: outbound }) => {
    const { targets, conflicts } = aspects.chooseTargets(targetsOf(profile, world));
    const ports = targets.map(({ reachable: { service, port }, target }) => inboundPort(service, port, target));
    const broken: Broken[] = [];
    const listener = attempt(
      () => aspects.virtualInbound(view.settings, ports),
      (error) => void broken.push(brokenListener(virtualInbound, error)),
    );
    const clusters = ports.map((port) => aspects.workloadCluster(port, view.settings));
    const inbound = { resources: listener === undefined ? clusters : [listener, ...clusters], conflicts, broken };
    const before = last.get(profile);
    const isSameInbound = before !== undefined && isSame(before.inbound, inbound);
    if (isSameInbound && before.outbound === outbound) return before.compiled;
    const compiled = joined(outbound, inbound, isSameInbound ? before : undefined);
    last.set(profile, { outbound, inbound, compiled });
    return compiled;
  };
}

const isSame = (a: Inbound, b: Inbound): boolean =>
  a.conflicts === b.conflicts &&
  a.broken.length + b.broken.length === 0 &&
  a.resources.length === b.resources.length &&
  a.resources.every((resource, index) => resource === b.resources[index]);

/** The services that are meant; one that is gone meanwhile is left out. */
function targetsOf({ implemented = [], holds }: Profile, world: World): readonly InboundTarget[] {
  const rules = rulesUnderHolds(world, holds);
  return implemented.flatMap(({ service: key, port: number, target }) => {
    const service = findImplemented({ catalog: world.catalog, rules }, key);
    const port = service && proxiedPort(service.ports, number);
    return service === undefined || port === undefined ? [] : [{ reachable: reachable(service, port), target }];
  });
}

/**
 * No name of the one is in the other. `before`: what came of the same inbound resources the last time; its map of a type of which nothing
 * changed goes on, so that nobody has to look for what is new in it.
 */
function joined(outbound: Compiled, { resources, conflicts, broken }: Inbound, before: Known | undefined): Compiled {
  const byType = Map.groupBy(resources, ({ type }) => type);
  return {
    ...outbound,
    resources: perType(({ short }) => {
      const common = outbound.resources[short];
      if (before?.outbound.resources[short] === common) return before.compiled.resources[short];
      return common.with((byType.get(short) ?? []).map((resource) => [resource.name, resource]));
    }),
    repairs:
      conflicts.length + broken.length === 0
        ? outbound.repairs
        : [...outbound.repairs, ...broken.map(repairOf), ...conflicts],
    broken: broken.length === 0 ? outbound.broken : [...outbound.broken, ...broken],
  };
}
