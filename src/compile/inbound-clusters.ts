import { create } from "@bufbuild/protobuf";
import { inboundClusterName, inboundPassthroughCluster } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import type { IpFamilies } from "../model/ip-families.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isHttp, type Protocol } from "../model/port.ts";
import type { InboundPort } from "./inbound.ts";
import { fromSetting } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";
import { type ClusterInit, noLimits, toDialledAddress, upstreamProtocol } from "./upstream.ts";
import { duration, socketAddress } from "./wire-values.ts";

/** The application behind a sidecar, at one fixed address. `source`: it is called from where nothing is captured, in these families. */
export function compileInboundCluster(
  port: { readonly number: number; readonly protocol: Protocol },
  target: { readonly address: string; readonly port: number },
  mesh: MeshSettings,
  origin: Origin,
  source?: IpFamilies,
): Resource {
  const name = inboundClusterName(port.number);
  const cluster = create(ClusterSchema, {
    name,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...(isHttp(port.protocol) ? upstreamProtocol(port.protocol) : {}),
    ...(source === undefined ? {} : bindTo(source)),
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

/** The application at the address and port that were dialled. */
export function compileWorkloadCluster({ port, protocol, origin }: InboundPort, settings: SidecarSettings): Resource {
  const isRecognised = isHttp(protocol) || protocol === "auto";
  return dialledCluster(inboundClusterName(port), settings, isRecognised ? upstreamProtocol(protocol) : {}, origin);
}

/** The same for ports that no service has. */
export const compileInboundPassthrough = (settings: SidecarSettings): Resource =>
  dialledCluster(inboundPassthroughCluster, settings, {}, fromSetting("proxyInboundListenPort"));

function dialledCluster(name: string, settings: SidecarSettings, protocol: ClusterInit, origin: Origin): Resource {
  const { mesh, interception, families } = settings;
  const cluster = create(ClusterSchema, {
    name,
    ...toDialledAddress,
    connectTimeout: duration(mesh.connectTimeoutMs),
    circuitBreakers: noLimits,
    ...protocol,
    // With TPROXY the application is called from its client's address.
    ...(interception === "tproxy" ? {} : bindTo(families)),
  });
  return encodeResource("CDS", name, ClusterSchema, trace(cluster, origin), []);
}

/** Calls from these addresses to the machine's own are not captured again. */
const sources = { ipv4: "127.0.0.6", ipv6: "::6" } as const;

const anyPort = (address: string) => ({ address, portSpecifier: { case: "portValue", value: 0 } }) as const;

/** Envoy takes the address of the family that it calls. */
function bindTo(families: IpFamilies): ClusterInit {
  const [first, second] = families === "dual" ? ([sources.ipv4, sources.ipv6] as const) : [sources[families]];
  return {
    upstreamBindConfig: {
      sourceAddress: anyPort(first),
      extraSourceAddresses: second === undefined ? [] : [{ address: anyPort(second) }],
    },
  };
}
