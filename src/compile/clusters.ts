import { create } from "@bufbuild/protobuf";
import type { SimpleLoadBalancer, TrafficPolicy } from "../config/kinds/destination-rule.ts";
import { blackHoleCluster, outboundClusterName, passthroughCluster } from "../envoy/names.ts";
import { packAny } from "../envoy/pack.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { DnsLookupFamily } from "../gen/envoy/extensions/clusters/common/dns/v3/dns_pb.ts";
import { DnsClusterSchema } from "../gen/envoy/extensions/clusters/dns/v3/dns_cluster_pb.ts";
import type { Instance } from "../model/instance.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import type { DestinationPolicy } from "./destination-policy.ts";
import { prefersNear } from "./distribution.ts";
import { loadAssignment, withLabels } from "./endpoints.ts";
import { fromService, fromSetting } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { type ClusterInit, noLimits, toDialledAddress, upstreamProtocol } from "./upstream.ts";
import { duration, overAds } from "./wire-values.ts";

const lbPolicies: Readonly<Record<SimpleLoadBalancer, Cluster_LbPolicy>> = {
  LEAST_REQUEST: Cluster_LbPolicy.LEAST_REQUEST,
  RANDOM: Cluster_LbPolicy.RANDOM,
  ROUND_ROBIN: Cluster_LbPolicy.ROUND_ROBIN,
  PASSTHROUGH: Cluster_LbPolicy.CLUSTER_PROVIDED,
};

/**
 * The cluster for calls to one port of a service, or of one subset of it (an index into the policy's subsets). `instances` are
 * needed only where the proxy resolves their names itself. `knowsDestination`: the proxy learns which address a client has dialled, and
 * can leave the choice of an instance to it.
 */
export function compileOutboundCluster(
  service: Service,
  port: ServicePort,
  mesh: MeshSettings,
  policy: DestinationPolicy | undefined,
  instances: readonly Instance[] | undefined,
  subsetIndex: number | undefined,
  knowsDestination: boolean,
): Resource {
  const subset = subsetIndex === undefined ? undefined : policy?.subsets[subsetIndex];
  const name = outboundClusterName(port.number, subset?.subset.name ?? "", service.hostname);
  const members = withLabels(instances ?? [], subset?.subset.labels ?? {});
  if (service.resolution === "dns-round-robin" && members.length !== 1) {
    return compileEmptyCluster(mesh, name, "it needs exactly one address to resolve, and has none or several");
  }
  const isClientsChoice = service.resolution === "original-destination" && knowsDestination;
  const balancer = isClientsChoice ? undefined : loadBalancerFor(policy, subset);
  const cluster = create(ClusterSchema, {
    name,
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...upstreamProtocol(port.protocol),
    ...(isClientsChoice || balancer?.simple === "PASSTHROUGH"
      ? toDialledAddress
      : {
          ...discovery(name, service, port, mesh, members),
          // All are used alike where too few are healthy, unless those that are stand behind them.
          ...(prefersNear(service) && { commonLbConfig: { healthyPanicThreshold: { value: 0 } } }),
          lbPolicy: lbPolicies[balancer?.simple ?? "LEAST_REQUEST"],
        }),
  });
  trace(cluster, [...(subset === undefined ? [] : [subset.origin]), fromService(service)], {
    connectTimeout: fromSetting("connectTimeout"),
    ...(isClientsChoice ? {} : { lbPolicy: balancer?.origin ?? fromSetting("default load balancer") }),
  });
  const isEds = cluster.clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
  return encodeResource("CDS", name, ClusterSchema, cluster, isEds ? [{ type: "EDS", name }] : []);
}

/** A subset's load balancer replaces that of the rule. */
function loadBalancerFor(
  policy: DestinationPolicy | undefined,
  subset: DestinationPolicy["subsets"][number] | undefined,
): { readonly simple: SimpleLoadBalancer; readonly origin: Origin } | undefined {
  const own = balancerOf(subset?.subset.trafficPolicy, subset?.origin, "/trafficPolicy");
  return own ?? balancerOf(policy?.trafficPolicy?.policy, policy?.trafficPolicy?.origin, "");
}

function balancerOf(policy: TrafficPolicy | undefined, origin: Origin | undefined, below: string) {
  if (policy?.loadBalancer === undefined || origin?.kind !== "rule") return undefined;
  const pointer = `${origin.pointer}${below}/loadBalancer/simple`;
  return { simple: policy.loadBalancer.simple, origin: { ...origin, pointer } };
}

/** How the proxy comes to the addresses. */
function discovery(
  name: string,
  service: Service,
  port: ServicePort,
  mesh: MeshSettings,
  instances: readonly Instance[],
): ClusterInit {
  if (!isResolvedByDns(service)) {
    return {
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: overAds(), serviceName: name },
    };
  }
  const config = create(DnsClusterSchema, {
    dnsRefreshRate: duration(mesh.dnsRefreshRateMs),
    dnsJitter: duration(dnsJitterMs),
    respectDnsTtl: true,
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    allAddressesInSingleEndpoint: service.resolution === "dns-round-robin",
  });
  return {
    clusterDiscoveryType: {
      case: "clusterType",
      value: { name: "envoy.cluster.dns", typedConfig: packAny(DnsClusterSchema, config) },
    },
    loadAssignment: loadAssignment(name, service, port, instances),
  };
}

/** Does a proxy resolve the names of its instances? */
export const isResolvedByDns = ({ resolution }: Service): boolean =>
  resolution === "dns" || resolution === "dns-round-robin";

/** Keeps many proxies from resolving at the same moment. */
const dnsJitterMs = 100;

/** Where a sidecar sends what no registry knows: to the address that was dialled, or nowhere. */
export function compileSpecialClusters(mesh: MeshSettings): readonly Resource[] {
  const origin = fromSetting("outboundTrafficPolicy");
  const passthrough = create(ClusterSchema, {
    name: passthroughCluster,
    ...toDialledAddress,
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...upstreamProtocol("auto"),
  });
  return [
    encodeResource("CDS", passthroughCluster, ClusterSchema, trace(passthrough, origin), []),
    compileEmptyCluster(mesh, blackHoleCluster, "answers for what must not be reached"),
  ];
}

/** A cluster that answers 503: nobody is in it. */
export function compileEmptyCluster(mesh: MeshSettings, name: string, reason: string): Resource {
  const cluster: Cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(mesh.connectTimeoutMs),
  });
  return encodeResource("CDS", name, ClusterSchema, trace(cluster, { kind: "repair", reason }), []);
}
