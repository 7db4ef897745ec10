import { create } from "@bufbuild/protobuf";
import { blackHoleCluster, virtualOutbound } from "../envoy/names.ts";
import { trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { wildcardAddresses } from "../model/ip-families.ts";
import { chainMatch, tcpChain } from "./network-filters.ts";
import { fromSetting } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { restCluster, type SidecarSettings } from "./sidecar-settings.ts";
import { listenAddresses } from "./wire-values.ts";

/** Takes what is captured of the application, and hands it over to the listener for its destination; the rest it passes on itself. */
export function compileVirtualOutbound(settings: SidecarSettings): Resource {
  const { mesh, policy, families } = settings;
  const port = mesh.proxyListenPort;
  const message = create(ListenerSchema, {
    name: virtualOutbound,
    ...listenAddresses(wildcardAddresses[families], port),
    useOriginalDst: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      // Nobody dials this port: it would go round in circles.
      tcpChain(blackHoleCluster, {
        name: "virtualOutbound-blackhole",
        match: chainMatch({ destinationPort: port }),
        origin: fromSetting("proxyListenPort"),
      }),
    ],
    defaultFilterChain: tcpChain(restCluster(policy), { name: "virtualOutbound-catchall-tcp", origin: policy.origin }),
  });
  const clusters = new Set([blackHoleCluster, restCluster(policy)]);
  return encodeResource(
    "LDS",
    virtualOutbound,
    ListenerSchema,
    trace(message, fromSetting("proxyListenPort")),
    [...clusters].map((name) => ({ type: "CDS", name })),
  );
}
