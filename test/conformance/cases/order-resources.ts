import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { TypeName } from "../../../src/envoy/resource-types.ts";
import { ClusterSchema } from "../../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TransportSocketSchema } from "../../../src/gen/envoy/config/core/v3/base_pb.ts";
import { ListenerSchema } from "../../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../../src/gen/envoy/config/route/v3/scoped_route_pb.ts";
import { HttpConnectionManagerSchema } from "../../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../../../src/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import { edsCluster, listenerWithRoutes, type RawResource, resource, routesTo } from "../resources.ts";

/** A cluster and its endpoints, of one name. */
export const service = (name: string, revision = 1): readonly RawResource[] => [
  edsCluster(name, { revision }),
  resource("EDS", name, revision),
];

/** A listener whose own route table sends everything to these clusters. */
export function listenerTo(name: string, clusters: readonly string[], revision = 1): RawResource {
  const value = fromBinary(RouteConfigurationSchema, routesTo(`${name}-inline`, clusters, revision).bytes);
  const base = resource("LDS", name, revision);
  return changed(ListenerSchema, base, ({ filterChains }) => {
    for (const { configType } of filterChains.flatMap(({ filters }) => filters)) {
      if (configType.case !== "typedConfig") continue;
      const manager = fromBinary(HttpConnectionManagerSchema, configType.value.value);
      manager.routeSpecifier = { case: "routeConfig", value };
      configType.value.value = toBinary(HttpConnectionManagerSchema, manager);
    }
  });
}

/** A scope that has its route table by name. */
export const scopeTo = (name: string, routes: string, revision = 1): RawResource =>
  changed(ScopedRouteConfigurationSchema, resource("SRDS", name, revision), (scope) => {
    delete scope.routeConfiguration;
    scope.routeConfigurationName = routes;
  });

/** What sends requests to `cluster`: a route table behind a listener, or the listener itself. */
export const routeUser: Readonly<
  Partial<Record<TypeName, (name: string, cluster: string, revision?: number) => readonly RawResource[]>>
> = {
  RDS: (name, cluster, revision) => [listenerWithRoutes(`${name}-l`, name), routesTo(name, [cluster], revision)],
  LDS: (name, cluster, revision) => [listenerTo(name, [cluster], revision)],
};

/** A cluster or listener whose certificate comes over SDS on the same stream. */
export function withSecret(type: "CDS" | "LDS", name: string, secret: string, revision = 1): RawResource {
  const sdsConfig = {
    configSourceSpecifier: { case: "ads", value: {} },
    resourceApiVersion: 2,
  } as const;
  const commonTlsContext = { tlsCertificateSdsSecretConfigs: [{ name: secret, sdsConfig }] };
  const schema = type === "CDS" ? UpstreamTlsContextSchema : DownstreamTlsContextSchema;
  const context = toBinary(
    schema as DescMessage,
    create(schema as typeof UpstreamTlsContextSchema, { commonTlsContext }),
  );
  const value = create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: context });
  const socket = create(TransportSocketSchema, { name: "tls", configType: { case: "typedConfig", value } });
  const base = resource(type, name, revision);
  return type === "CDS"
    ? changed(ClusterSchema, base, (cluster) => {
        cluster.transportSocket = socket;
      })
    : changed(ListenerSchema, base, ({ filterChains }) => {
        for (const chain of filterChains) chain.transportSocket = socket;
      });
}

function changed<D extends DescMessage>(
  schema: D,
  base: RawResource,
  change: (message: MessageShape<D>) => void,
): RawResource {
  const message = fromBinary(schema, base.bytes);
  change(message);
  return { ...base, bytes: toBinary(schema, message) };
}
