import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { packAny } from "../envoy/pack.ts";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  type ClusterSchema,
} from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { HttpProtocolOptionsSchema } from "../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts";
import { isHttp2, type Protocol } from "../model/port.ts";
import { unlimited } from "./wire-values.ts";

/* What clusters of all kinds have in common. */

/** Some fields of a cluster, still to be made one. */
export type ClusterInit = Exclude<MessageInitShape<typeof ClusterSchema>, Cluster>;

/** Envoy's own limits would be low. */
export const noLimits = {
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

/** Calls go to the address that their client dialled. */
export const toDialledAddress = {
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
} as const satisfies ClusterInit;

const protocolOptionsKey = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** HTTP/1.1 needs no options; an undeclared protocol goes on as it came. */
export function upstreamProtocol(protocol: Protocol): ClusterInit {
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
