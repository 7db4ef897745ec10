import type { Resource } from "../envoy/resource-set.ts";
import type { Instance } from "../model/instance.ts";
import type { Aspects } from "./aspects.ts";
import { isResolvedByDns } from "./clusters.ts";
import { withLabels } from "./endpoints.ts";
import type { Reachable } from "./scope.ts";
import type { View } from "./view.ts";

/** A cluster for calls to one port of a service, or of one of its subsets. */
export interface Outbound extends Reachable {
  /** As Envoys get it. */
  readonly cluster: Resource;
  /** Index into the policy's subsets. */
  readonly subset: number | undefined;
  /** Who is in it. */
  readonly members: readonly Instance[];
}

/** The cluster of all instances, and one for each subset. */
export function outboundOf({ service, port }: Reachable, view: View, aspects: Aspects): readonly Outbound[] {
  const policy = view.policyFor(service);
  const instances = view.instancesOf(service);
  const resolved = isResolvedByDns(service) ? instances : undefined;
  return [undefined, ...(policy?.subsets.keys() ?? [])].map((subset) => {
    const cluster = aspects.outboundCluster(service, port, view.mesh, policy, resolved, subset, false);
    const labels = subset === undefined ? undefined : policy?.subsets[subset]?.subset.labels;
    const members = labels === undefined ? instances : aspects.sameList(cluster, withLabels(instances, labels));
    return { service, port, cluster, subset, members };
  });
}
