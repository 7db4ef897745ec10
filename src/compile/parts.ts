import { memoize } from "../base/memo.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { Instance } from "../model/instance.ts";
import type { Broken } from "./broken.ts";
import type { DestinationPolicy } from "./destination-policy.ts";
import type { Reachable } from "./scope.ts";
import { knowsDestination } from "./services.ts";
import type { View } from "./view.ts";

/** What comes of one port of a service. */
export interface Part {
  readonly resources: readonly Resource[];
  readonly broken: readonly Broken[];
  /** What it was made of, besides the port. */
  readonly from: Pick<View, "mesh"> & {
    readonly policy: DestinationPolicy | undefined;
    readonly instances: readonly Instance[];
    readonly knowsDestination: boolean;
  };
}

export const sourcesOf = ({ service }: Reachable, view: View): Part["from"] => ({
  mesh: view.mesh,
  policy: view.policyFor(service),
  instances: view.instancesOf(service),
  knowsDestination: knowsDestination(view),
});

export const isFrom = ({ from }: Part, { mesh, policy, instances, knowsDestination: knows }: Part["from"]): boolean =>
  from.mesh === mesh && from.policy === policy && from.instances === instances && from.knowsDestination === knows;

/** Tells parts that are certainly made of the same things as in the last view, by what all profiles know of the change. */
export function sameSources(last: View | undefined, view: View): (one: Reachable) => boolean {
  if (last === undefined || last.mesh !== view.mesh || last.policies !== view.policies) return () => false;
  if (knowsDestination(last) !== knowsDestination(view)) return () => false;
  const changed = changedServices(last.instances, view.instances);
  return ({ service: { key, origin } }) => origin.kind === "registry" && !changed.has(key);
}

/** The services whose instances differ. */
export const changedServices = memoize(
  (before: View["instances"], after: View["instances"]) => new Set(before.changesTo(after).map(({ key }) => key)),
);
