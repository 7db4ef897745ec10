import { type DescMessage, fromBinary, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Cluster_DiscoveryType, ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { type ConfigSource, ConfigSourceSchema } from "../gen/envoy/config/core/v3/config_source_pb.ts";
import { GrpcService_EnvoyGrpcSchema } from "../gen/envoy/config/core/v3/grpc_service_pb.ts";
import { HttpUriSchema } from "../gen/envoy/config/core/v3/http_uri_pb.ts";
import { FilterSchema, ListenerFilterSchema } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import {
  RouteAction_RequestMirrorPolicySchema,
  RouteActionSchema,
  WeightedCluster_ClusterWeightSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { ScopedRouteConfigurationSchema } from "../gen/envoy/config/route/v3/scoped_route_pb.ts";
import { ClusterConfigSchema } from "../gen/envoy/extensions/clusters/aggregate/v3/cluster_pb.ts";
import {
  HttpFilterSchema,
  RdsSchema,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import {
  TcpProxy_WeightedCluster_ClusterWeightSchema,
  TcpProxySchema,
} from "../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { SdsSecretConfigSchema } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import { messageTypes } from "./pack.ts";
import { type Reference, referenceKey } from "./resource-set.ts";
import { resourceType, type TypeName } from "./resource-types.ts";

/**
 * What a resource names that has to come by the same stream, once each, read from its bytes. Extensions that we do not know are
 * passed over. Collections (scoped routes, virtual hosts on demand, localities) are asked for as a whole, and so nothing of them
 * is named. Throws for bytes that are no message of the type.
 */
export function referencesOf(type: TypeName, bytes: Uint8Array): readonly Reference[] {
  const schema = messageTypes.getMessage(resourceType(type).url.slice(urlPrefix.length));
  if (schema === undefined) return [];
  const found = new Map<string, Reference>();
  collect(fromBinary(schema, bytes), (reference) => found.set(referenceKey(reference), reference));
  return [...found.values()];
}

const urlPrefix = "type.googleapis.com/";

type Find = (message: Message) => readonly Reference[];

/** Which messages name something, wherever they stand. */
const finders: ReadonlyMap<string, Find> = new Map([
  naming(ClusterSchema, ({ name, clusterDiscoveryType: { value }, edsClusterConfig: eds }) =>
    value === Cluster_DiscoveryType.EDS && isSameStream(eds?.edsConfig) ? named("EDS", eds?.serviceName || name) : [],
  ),
  naming(ClusterConfigSchema, ({ clusters }) => clusters.flatMap((cluster) => named("CDS", cluster))),
  naming(RouteActionSchema, ({ clusterSpecifier: specifier }) =>
    specifier.case === "cluster" ? named("CDS", specifier.value) : [],
  ),
  naming(WeightedCluster_ClusterWeightSchema, ({ name }) => named("CDS", name)),
  naming(RouteAction_RequestMirrorPolicySchema, ({ cluster }) => named("CDS", cluster)),
  naming(TcpProxySchema, ({ clusterSpecifier: specifier }) =>
    specifier.case === "cluster" ? named("CDS", specifier.value) : [],
  ),
  naming(TcpProxy_WeightedCluster_ClusterWeightSchema, ({ name }) => named("CDS", name)),
  naming(GrpcService_EnvoyGrpcSchema, ({ clusterName }) => named("CDS", clusterName)),
  naming(HttpUriSchema, ({ httpUpstreamType: upstream }) =>
    upstream.case === "cluster" ? named("CDS", upstream.value) : [],
  ),
  naming(RdsSchema, ({ routeConfigName, configSource }) =>
    isSameStream(configSource) ? named("RDS", routeConfigName) : [],
  ),
  naming(ScopedRouteConfigurationSchema, ({ routeConfigurationName }) => named("RDS", routeConfigurationName)),
  naming(FilterSchema, discoveredFilter),
  naming(ListenerFilterSchema, discoveredFilter),
  naming(HttpFilterSchema, discoveredFilter),
  naming(SdsSecretConfigSchema, ({ name, sdsConfig }) => (isSameStream(sdsConfig) ? named("SDS", name) : [])),
]);

function naming<D extends DescMessage>(
  schema: D,
  find: (message: MessageShape<D>) => readonly Reference[],
): readonly [string, Find] {
  return [schema.typeName, (message) => (isMessage(message, schema) ? find(message) : [])];
}

/** A filter that is discovered and has a default can do without. */
function discoveredFilter({
  name,
  configType,
}: MessageShape<typeof FilterSchema | typeof HttpFilterSchema | typeof ListenerFilterSchema>) {
  if (configType.case !== "configDiscovery" || configType.value.defaultConfig !== undefined) return [];
  return isSameStream(configType.value.configSource) ? named("ECDS", name) : [];
}

const named = (type: TypeName, name: string): readonly Reference[] => (name === "" ? [] : [{ type, name }]);

function isSameStream(source: ConfigSource | undefined): boolean {
  const { case: kind } = source?.configSourceSpecifier ?? {};
  return kind === "ads" || kind === "self";
}

function collect(value: unknown, found: (reference: Reference) => void): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  if (isMessage(value)) {
    // What it names is a way to a server: the proxy's own affair.
    if (isMessage(value, ConfigSourceSchema)) return;
    if (isMessage(value, AnySchema)) {
      collect(unpacked(value), found);
      return;
    }
    for (const reference of finders.get(value.$typeName)?.(value) ?? []) found(reference);
  }
  for (const part of Object.values(value)) collect(part, found);
}

/** An extension is judged by who knows it: one that cannot be read is passed over like one that is not known. */
function unpacked(any: Any): Message | undefined {
  try {
    return anyUnpack(any, messageTypes);
  } catch {
    return undefined;
  }
}
