import { memoize } from "../base/memo.ts";
import { isSameList } from "../base/memo-of-items.ts";
import { outboundClusterName } from "../envoy/names.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import { addressesOf, type Instance } from "../model/instance.ts";
import { isIpAddress } from "../model/ip-address.ts";
import { type IpFamilies, isOfFamilies } from "../model/ip-families.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import type { Aspects } from "./aspects.ts";
import { attempt, keep, type Report } from "./broken.ts";
import { compileEmptyCluster, isResolvedByDns } from "./clusters.ts";
import type { DestinationPolicy } from "./destination-policy.ts";
import { withLabels } from "./endpoints.ts";
import { emptyEndpoints } from "./placeholders.ts";
import { versionOf } from "./resource.ts";
import type { Reachable } from "./scope.ts";
import type { View } from "./view.ts";

/** The cluster of a service that the proxy may call, one for each subset besides, and their endpoints. */
export function compileService(
  { service, port }: Reachable,
  view: View,
  aspects: Aspects,
  report: Report,
): readonly Resource[] {
  const policy = view.policyFor(service);
  const callable = {
    service,
    port,
    mesh: view.mesh,
    policy,
    instances: instancesFor(view, service),
    knowsDestination: knowsDestination(view),
  };
  const subsets = [undefined, ...(policy?.subsets.keys() ?? [])];
  return subsets.flatMap((subset) => compileCluster(callable, subset, aspects, report));
}

/** One port of a service, and all that its clusters follow from. */
interface Callable extends Reachable {
  readonly mesh: MeshSettings;
  readonly policy: DestinationPolicy | undefined;
  readonly instances: readonly Instance[];
  readonly knowsDestination: boolean;
}

/** Those that the workload has a way to. What dials its sidecar may be anything; what is captured has the addresses of its node. */
function instancesFor(view: View, service: Service): readonly Instance[] {
  const { interception, families } = view.settings;
  const all = view.instancesOf(service);
  return interception === "none" ? all : ofFamilies(all, families);
}

const ofFamilies = memoize((instances: readonly Instance[], families: IpFamilies): readonly Instance[] => {
  const ours = instances.flatMap((instance) => reachedIn(instance, families) ?? []);
  return isSameList(ours, instances) ? instances : ours;
});

/** An instance by those of its addresses that are of some families; undefined where none is. */
function reachedIn(instance: Instance, families: IpFamilies): Instance | undefined {
  if (instance.otherAddresses !== undefined) return withAddressesOf(instance, families);
  return isReachedIn(families, instance.address) ? instance : undefined;
}

const withAddressesOf = memoize((instance: Instance, families: IpFamilies): Instance | undefined => {
  const { otherAddresses: _, ...rest } = instance;
  const all = addressesOf(instance);
  const [address, ...others] = all.filter((one) => isReachedIn(families, one));
  if (address === undefined) return undefined;
  if (others.length + 1 === all.length) return instance;
  return { ...rest, address, ...(others.length > 0 && { otherAddresses: others }) };
});

const isReachedIn = (families: IpFamilies, address: string): boolean =>
  !isIpAddress(address) || isOfFamilies(families, address);

/** Only what is captured comes with the address that was dialled. */
export const knowsDestination = ({ egress }: View): boolean => egress.some(({ captured }) => captured);

/** All of it, or one of its subsets. */
function compileCluster(
  { service, port, mesh, policy, instances, knowsDestination }: Callable,
  subset: number | undefined,
  aspects: Aspects,
  report: Report,
): readonly Resource[] {
  const { labels, name: subsetName = "" } = (subset === undefined ? undefined : policy?.subsets[subset]?.subset) ?? {};

  const endpointsOf = (cluster: Resource): Resource => {
    const members = labels === undefined ? instances : aspects.sameList(cluster, withLabels(instances, labels));
    return aspects.endpoints(cluster, service, port, members);
  };

  const withEndpoints = (cluster: Resource): readonly Resource[] => {
    if (cluster.references.length === 0) return [cluster];
    const endpoints = attempt(
      () => endpointsOf(cluster),
      (error) => {
        const { name } = cluster;
        const standIn = emptyEndpoints(cluster, name, error.message);
        report({ type: "EDS", name, error, standIn, rescue: (lastGood) => lastEndpoints(cluster, lastGood) });
        return standIn;
      },
    );
    return [cluster, endpoints];
  };

  const resolved = isResolvedByDns(service) ? instances : undefined;
  return attempt(
    () => withEndpoints(aspects.outboundCluster(service, port, mesh, policy, resolved, subset, knowsDestination)),
    (error) => {
      const name = outboundClusterName(port.number, subsetName, service.hostname);
      const standIn = compileEmptyCluster(mesh, name, error.message);
      /** An older cluster with the present endpoints. */
      const rescue = (lastGood: ResourceSet): readonly Resource[] =>
        keep({ type: "CDS", name })(lastGood).flatMap((cluster) => {
          if (cluster.references.length === 0) return [cluster];
          return [
            cluster,
            ...attempt(
              () => [endpointsOf(cluster)],
              () => lastEndpoints(cluster, lastGood),
            ),
          ];
        });
      report({ type: "CDS", name, error, standIn, rescue });
      return [standIn];
    },
  );
}

/** The last good endpoints; their version covers the cluster that they now go with. */
const lastEndpoints = (cluster: Resource, lastGood: ResourceSet): readonly Resource[] =>
  keep({ type: "EDS", name: cluster.name })(lastGood).map((last) => ({
    ...last,
    version: versionOf(last.bytes, cluster.version),
  }));
