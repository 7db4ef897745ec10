import { create } from "@bufbuild/protobuf";
import { packAny } from "../envoy/pack.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import {
  type FilterChain,
  type FilterChainMatch,
  FilterChainMatchSchema,
  FilterChainSchema,
} from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import { TcpProxySchema } from "../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import {
  type HttpConnectionManagerInput,
  httpConnectionManager,
  httpConnectionManagerName,
} from "./http-connection-manager.ts";

type MatchInit = NonNullable<Parameters<typeof create<typeof FilterChainMatchSchema>>[1]>;

/** What chains ask for of a connection. */
export const chainMatch = (fields: MatchInit): FilterChainMatch => create(FilterChainMatchSchema, fields);

/**
 * What the HTTP inspector finds, in plain text: a client that offers HTTP by TLS does not speak it here. HTTP/1.0 is not among
 * them, as in Istio.
 */
export const plainHttp = { applicationProtocols: ["http/1.1", "h2c"], transportProtocol: "raw_buffer" };

interface ChainInput {
  readonly name?: string;
  readonly match?: FilterChainMatch;
  readonly origin?: Origin;
}

/** Connections of this chain are passed on as they are. */
export function tcpChain(cluster: string, { name = "", match, origin }: ChainInput = {}): FilterChain {
  const proxy = create(TcpProxySchema, {
    statPrefix: cluster,
    clusterSpecifier: { case: "cluster", value: cluster },
  });
  const chain = create(FilterChainSchema, {
    name,
    ...(match && { filterChainMatch: match }),
    filters: [
      {
        name: "envoy.filters.network.tcp_proxy",
        configType: { case: "typedConfig", value: packAny(TcpProxySchema, proxy) },
      },
    ],
  });
  return origin === undefined ? chain : trace(chain, origin);
}

/** Connections of this chain are routed request by request. */
export function httpChain(
  manager: HttpConnectionManagerInput,
  { name = "", match, origin }: ChainInput = {},
): FilterChain {
  const chain = create(FilterChainSchema, {
    name,
    ...(match && { filterChainMatch: match }),
    filters: [
      {
        name: httpConnectionManagerName,
        configType: { case: "typedConfig", value: httpConnectionManager(manager) },
      },
    ],
  });
  return origin === undefined ? chain : trace(chain, origin);
}
