import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { SimpleLoadBalancer, TrafficPolicy } from "../config/kinds/destination-rule.ts";
import { blackHoleCluster, inboundClusterName, outboundClusterName, passthroughCluster } from "../envoy/names.ts";
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
import { HttpProtocolOptionsSchema } from "../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import type { Instance } from "../model/instance.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isHttp, isHttp2, type Protocol, type ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import type { DestinationPolicy } from "./destination-policy.ts";
import { loadAssignment, withLabels } from "./endpoints.ts";
import { fromService, fromSetting } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { duration, overAds, socketAddress, unlimited } from "./wire-values.ts";

/** Some fields of a cluster, still to be made one. */
type ClusterInit = Exclude<MessageInitShape<typeof ClusterSchema>, Cluster>;

const noLimits = {
  thresholds: [
    {
      maxConnections: unlimited,
      maxPendingRequests: unlimited,
      maxRequests: unlimited,
      maxRetries: unlimited,
      trackRemaining: true,
    },
  ],
};

const lbPolicies: Readonly<Record<SimpleLoadBalancer, Cluster_LbPolicy>> = {
  LEAST_REQUEST: Cluster_LbPolicy.LEAST_REQUEST,
  RANDOM: Cluster_LbPolicy.RANDOM,
  ROUND_ROBIN: Cluster_LbPolicy.ROUND_ROBIN,
  PASSTHROUGH: Cluster_LbPolicy.CLUSTER_PROVIDED,
};

/**
 * The cluster for calls to one port of a service, or of one subset of it (an index into the policy's subsets). `instances` are
 * needed only where the proxy resolves their names itself.
 */
export function compileOutboundCluster(
  service: Service,
  port: ServicePort,
  mesh: MeshSettings,
  policy: DestinationPolicy | undefined,
  instances: readonly Instance[] | undefined,
  subsetIndex: number | undefined,
): Resource {
  const subset = subsetIndex === undefined ? undefined : policy?.subsets[subsetIndex];
  const name = outboundClusterName(port.number, subset?.subset.name ?? "", service.hostname);
  const members = withLabels(instances ?? [], subset?.subset.labels ?? {});
  if (service.resolution === "dns-round-robin" && members.length !== 1) {
    return compileEmptyCluster(mesh, name, "it needs exactly one address to resolve, and has none or several");
  }
  const balancer = loadBalancerFor(policy, subset);
  const cluster = create(ClusterSchema, {
    name,
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...upstreamProtocol(port.protocol),
    ...discovery(name, service, port, mesh, members),
    ...(balancer?.simple === "PASSTHROUGH" ? toDialledAddress : {}),
    lbPolicy: lbPolicies[balancer?.simple ?? "LEAST_REQUEST"],
  });
  trace(cluster, [...(subset === undefined ? [] : [subset.origin]), fromService(service)], {
    connectTimeout: fromSetting("connectTimeout"),
    lbPolicy: balancer?.origin ?? fromSetting("default load balancer"),
  });
  const isEds = cluster.clusterDiscoveryType.value === Cluster_DiscoveryType.EDS;
  return encodeResource("CDS", name, ClusterSchema, cluster, isEds ? [{ type: "EDS", name }] : []);
}

const toDialledAddress: ClusterInit = {
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
  edsClusterConfig: undefined,
  loadAssignment: undefined,
};

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
  if (service.resolution === "instances") {
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

/** Keeps many proxies from resolving at the same moment. */
const dnsJitterMs = 100;

const protocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** HTTP/1.1 needs no options; an undeclared protocol goes on as it came. */
function upstreamProtocol(protocol: Protocol): ClusterInit {
  if (isHttp2(protocol)) {
    return httpOptions({
      case: "explicitHttpConfig",
      value: { protocolConfig: { case: "http2ProtocolOptions", value: {} } },
    });
  }
  return protocol === "auto"
    ? httpOptions({ case: "useDownstreamProtocolConfig", value: { httpProtocolOptions: {}, http2ProtocolOptions: {} } })
    : {};
}

function httpOptions(
  upstreamProtocolOptions: NonNullable<MessageInitShape<typeof HttpProtocolOptionsSchema>["upstreamProtocolOptions"]>,
): ClusterInit {
  const options = create(HttpProtocolOptionsSchema, { upstreamProtocolOptions });
  return { typedExtensionProtocolOptions: { [protocolOptionsKey]: packAny(HttpProtocolOptionsSchema, options) } };
}

/** The application behind a sidecar, at one fixed address. */
export function compileInboundCluster(
  port: { readonly number: number; readonly protocol: Protocol },
  target: { readonly address: string; readonly port: number },
  mesh: MeshSettings,
  origin: Origin,
): Resource {
  const name = inboundClusterName(port.number);
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...(isHttp(port.protocol) ? upstreamProtocol(port.protocol) : {}),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            { hostIdentifier: { case: "endpoint", value: { address: socketAddress(target.address, target.port) } } },
          ],
        },
      ],
    },
  });
  return encodeResource("CDS", name, ClusterSchema, trace(cluster, origin), []);
}

/** Where a sidecar sends what no registry knows: to the address that was dialled, or nowhere. */
export function compileSpecialClusters(mesh: MeshSettings): readonly Resource[] {
  const origin = fromSetting("outboundTrafficPolicy");
  const passthrough = create(ClusterSchema, {
    name: passthroughCluster,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
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
