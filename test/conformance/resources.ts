import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Any, AnySchema, StructSchema } from "@bufbuild/protobuf/wkt";
import type { TypeName } from "../../src/envoy/resource-types.ts";
import { Cluster_DiscoveryType, ClusterSchema } from "../../src/gen/envoy/config/cluster/v3/cluster_pb.ts";
import { TypedExtensionConfigSchema } from "../../src/gen/envoy/config/core/v3/extension_pb.ts";
import { ClusterLoadAssignmentSchema } from "../../src/gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../../src/gen/envoy/config/listener/v3/listener_pb.ts";
import { VirtualHostSchema } from "../../src/gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/route_pb.ts";
import { ScopedRouteConfigurationSchema } from "../../src/gen/envoy/config/route/v3/scoped_route_pb.ts";
import { RouterSchema } from "../../src/gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import { HttpConnectionManagerSchema } from "../../src/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { SecretSchema } from "../../src/gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";

/** A resource as a target's state has it: the bytes of a real message. */
export interface RawResource {
  readonly type: TypeName;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Only for who names it: a wildcard does not cover it. */
  readonly onDemand?: boolean;
  /** Milliseconds after which a client gives it up that hears nothing of it. */
  readonly ttlMs?: number;
}

export interface ResourceKey {
  readonly type: TypeName;
  readonly name: string;
}

/**
 * A valid resource of any type that names no other one. `revision` (1 to 9999) makes its content: equal revisions, equal bytes.
 */
export function resource(type: TypeName, name: string, revision = 1): RawResource {
  return { type, name, bytes: simple[type](name, revision) };
}

const simple: Readonly<Record<TypeName, (name: string, revision: number) => Uint8Array>> = {
  CDS: (name, revision) =>
    bytes(ClusterSchema, {
      name,
      connectTimeout: seconds(revision),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    }),
  EDS: (name, revision) => assignment(name, revision),
  LDS: (name, revision) =>
    listenerBytes(name, revision, { case: "routeConfig", value: routeTable(`${name}-inline`, revision) }),
  RDS: (name, revision) => bytes(RouteConfigurationSchema, routeTable(name, revision)),
  SRDS: (name, revision) =>
    bytes(ScopedRouteConfigurationSchema, {
      name,
      key: { fragments: [{ type: { case: "stringKey", value: `key-${revision}` } }] },
      routeConfiguration: routeTable(`${name}-inline`, revision),
    }),
  SDS: (name, revision) =>
    bytes(SecretSchema, {
      name,
      type: { case: "genericSecret", value: { secret: inline(`not a secret, ${revision}`) } },
    }),
  ECDS: (name, revision) => bytes(TypedExtensionConfigSchema, { name, typedConfig: bufferFilter(revision) }),
  RTDS: (name, revision) => runtime(name, revision),
  VHDS: (name, revision) => bytes(VirtualHostSchema, virtualHost(name, hostOf(name), revision)),
  LEDS: (_name, revision) => new BinaryWriter().tag(4, WireType.LengthDelimited).bytes(uint32Value(revision)).finish(),
};

export interface ClusterOptions {
  readonly revision?: number;
  /** The name that its endpoints are asked for by; default: the cluster's. */
  readonly serviceName?: string;
}

/** A cluster whose endpoints come over EDS on the same stream. */
export function edsCluster(name: string, { revision = 1, serviceName = "" }: ClusterOptions = {}): RawResource {
  const cluster = {
    name,
    connectTimeout: seconds(revision),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
    edsClusterConfig: { serviceName, edsConfig: overAds },
  } as const;
  return { type: "CDS", name, bytes: bytes(ClusterSchema, cluster) };
}

/** An assignment with no endpoint in it. */
export const emptyEndpoints = (name: string): RawResource => ({
  type: "EDS",
  name,
  bytes: bytes(ClusterLoadAssignmentSchema, { clusterName: name }),
});

/** A route table whose only virtual host sends everything to these clusters; the first one gets path `/`, the others their own prefix. */
export function routesTo(name: string, clusters: readonly string[], revision = 1): RawResource {
  const routes = clusters.toReversed().map((cluster, index) => ({
    match: { pathSpecifier: { case: "prefix", value: index === clusters.length - 1 ? "/" : `/${cluster}/` } },
    action: { case: "route", value: { clusterSpecifier: { case: "cluster", value: cluster } } },
  }));
  const table = { name, virtualHosts: [{ name: `host-${revision}`, domains: ["*"], routes }] };
  return {
    type: "RDS",
    name,
    bytes: bytes(RouteConfigurationSchema, table as MessageInitShape<typeof RouteConfigurationSchema>),
  };
}

/** A listener that gets its route table over RDS on the same stream. */
export function listenerWithRoutes(name: string, routes: string, revision = 1): RawResource {
  const rds = { routeConfigName: routes, configSource: overAds } as const;
  return { type: "LDS", name, bytes: listenerBytes(name, revision, { case: "rds", value: rds }) };
}

/** A listener whose filter comes over ECDS; `permits` is the one type that it takes. */
export function listenerWithExtension(name: string, extension: string, permits = bufferUrl): RawResource {
  const filter: HttpFilter = {
    name: extension,
    configType: { case: "configDiscovery", value: { configSource: overAds, typeUrls: [permits] } },
  };
  const routes = { case: "routeConfig", value: routeTable(`${name}-inline`, 1) } as const;
  return { type: "LDS", name, bytes: listenerBytes(name, 1, routes, [filter]) };
}

const overAds = { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: 2 } as const;
const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });

type RouteSpecifier = MessageInitShape<typeof HttpConnectionManagerSchema>["routeSpecifier"];
type HttpFilter = NonNullable<MessageInitShape<typeof HttpConnectionManagerSchema>["httpFilters"]>[number];

function listenerBytes(
  name: string,
  revision: number,
  routeSpecifier: RouteSpecifier,
  filters: readonly HttpFilter[] = [],
): Uint8Array {
  const router: HttpFilter = { name: "router", configType: { case: "typedConfig", value: packed(RouterSchema, {}) } };
  const manager = { statPrefix: `s${revision}`, routeSpecifier, httpFilters: [...filters, router] };
  const value = packed(HttpConnectionManagerSchema, manager as MessageInitShape<typeof HttpConnectionManagerSchema>);
  return bytes(ListenerSchema, {
    name,
    address: {
      address: {
        case: "socketAddress",
        value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: 20_000 + (revision % 10_000) } },
      },
    },
    filterChains: [{ filters: [{ name: "http", configType: { case: "typedConfig", value } }] }],
  });
}

const routeTable = (name: string, revision: number) => ({ name, virtualHosts: [virtualHost("all", "*", revision)] });

function virtualHost(name: string, domain: string, revision: number): MessageInitShape<typeof VirtualHostSchema> {
  const answer = { status: 200, body: inline(`revision ${revision}`) };
  const route = {
    match: { pathSpecifier: { case: "prefix", value: "/" } },
    action: { case: "directResponse", value: answer },
  } as const;
  return { name, domains: [domain], routes: [route] };
}

/** VHDS names are `<route table>/<host>`. */
const hostOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

function assignment(clusterName: string, revision: number): Uint8Array {
  const address = {
    address: {
      case: "socketAddress",
      value: { address: "127.0.0.1", portSpecifier: { case: "portValue", value: 20_000 + (revision % 10_000) } },
    },
  } as const;
  const endpoint = {
    hostIdentifier: { case: "endpoint", value: { address } },
    loadBalancingWeight: 1,
  } as const;
  const locality = { region: "r1", zone: "z1", subZone: "" };
  return bytes(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [{ locality, lbEndpoints: [endpoint], loadBalancingWeight: 1 }],
  });
}

const inline = (text: string) => ({ specifier: { case: "inlineString", value: text } }) as const;

const bufferUrl = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer";

/** `Buffer { max_request_bytes: revision }`; its schema is not among the generated ones. */
function bufferFilter(revision: number): Any {
  const value = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(uint32Value(revision)).finish();
  return create(AnySchema, { typeUrl: bufferUrl, value });
}

const uint32Value = (value: number): Uint8Array => new BinaryWriter().tag(1, WireType.Varint).uint32(value).finish();

/** `Runtime { name, layer: Struct }`; its schema is not among the generated ones. */
function runtime(name: string, revision: number): Uint8Array {
  const layer = create(StructSchema, {
    fields: { "conformance.revision": { kind: { case: "numberValue", value: revision } } },
  });
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string(name);
  return writer.tag(2, WireType.LengthDelimited).bytes(toBinary(StructSchema, layer)).finish();
}

const bytes = <D extends DescMessage>(schema: D, init: MessageInitShape<D>): Uint8Array =>
  toBinary(schema, create(schema, init));

const packed = <D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any =>
  create(AnySchema, { typeUrl: `type.googleapis.com/${schema.typeName}`, value: bytes(schema, init) });
