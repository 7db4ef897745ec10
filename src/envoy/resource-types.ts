/**
 * The resource types of xDS that we speak, as one table: all that differs from type to type is a column. The order of the rows
 * is the order in which additions and changes go to a proxy, so that nothing is named before it is there; removals wait for the
 * types of `usedBy`.
 * Source: xDS protocol, "Eventual consistency considerations", and how Envoy treats each type.
 */
export const resourceTypes = [
  {
    short: "RTDS",
    url: "type.googleapis.com/envoy.service.runtime.v3.Runtime",
    service: serviceOf("runtime", "RuntimeDiscoveryService", "Runtime"),
    fullState: false,
    wildcard: false,
    gated: false,
    gates: false,
    usedBy: [],
    resumable: false,
    absent: { sotw: "empty", delta: "empty" },
  },
  {
    short: "CDS",
    url: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    service: serviceOf("cluster", "ClusterDiscoveryService", "Clusters"),
    fullState: true,
    wildcard: true,
    gated: false,
    gates: true,
    usedBy: ["LDS", "RDS"],
    resumable: true,
    absent: { sotw: "error", delta: "removed" },
  },
  {
    short: "EDS",
    url: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    service: serviceOf("endpoint", "EndpointDiscoveryService", "Endpoints"),
    fullState: false,
    wildcard: false,
    gated: false,
    gates: true,
    usedBy: ["CDS"],
    resumable: true,
    absent: { sotw: "empty", delta: "removed" },
  },
  {
    short: "LEDS",
    url: "type.googleapis.com/envoy.config.endpoint.v3.LbEndpoint",
    service: {
      path: "/envoy.service.endpoint.v3.LocalityEndpointDiscoveryService",
      sotw: undefined,
      delta: "DeltaLocalityEndpoints",
      fetch: undefined,
    },
    fullState: false,
    wildcard: false,
    gated: false,
    gates: false,
    usedBy: ["EDS"],
    resumable: false,
    absent: { sotw: "silent", delta: "removed" },
  },
  {
    short: "SDS",
    url: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    service: serviceOf("secret", "SecretDiscoveryService", "Secrets"),
    fullState: false,
    wildcard: false,
    gated: false,
    gates: false,
    usedBy: ["CDS", "LDS"],
    resumable: false,
    absent: { sotw: "error", delta: "removed" },
  },
  {
    short: "LDS",
    url: "type.googleapis.com/envoy.config.listener.v3.Listener",
    service: serviceOf("listener", "ListenerDiscoveryService", "Listeners"),
    fullState: true,
    wildcard: true,
    gated: true,
    gates: true,
    usedBy: [],
    resumable: true,
    absent: { sotw: "error", delta: "removed" },
  },
  {
    short: "ECDS",
    url: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
    service: serviceOf("extension", "ExtensionConfigDiscoveryService", "ExtensionConfigs"),
    fullState: false,
    wildcard: false,
    gated: true,
    gates: false,
    usedBy: ["LDS"],
    resumable: false,
    absent: { sotw: "silent", delta: "silent" },
  },
  {
    short: "SRDS",
    url: "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
    service: serviceOf("route", "ScopedRoutesDiscoveryService", "ScopedRoutes"),
    fullState: true,
    wildcard: true,
    gated: true,
    gates: true,
    usedBy: ["LDS"],
    resumable: true,
    absent: { sotw: "error", delta: "removed" },
  },
  {
    short: "RDS",
    url: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    service: serviceOf("route", "RouteDiscoveryService", "Routes"),
    fullState: false,
    wildcard: false,
    gated: true,
    gates: false,
    usedBy: ["LDS", "SRDS"],
    resumable: true,
    absent: { sotw: "error", delta: "removed" },
  },
  {
    short: "VHDS",
    url: "type.googleapis.com/envoy.config.route.v3.VirtualHost",
    service: {
      path: "/envoy.service.route.v3.VirtualHostDiscoveryService",
      sotw: undefined,
      delta: "DeltaVirtualHosts",
      fetch: undefined,
    },
    fullState: false,
    wildcard: false,
    gated: true,
    gates: false,
    usedBy: ["RDS"],
    resumable: false,
    absent: { sotw: "silent", delta: "bodiless" },
  },
] as const satisfies readonly ResourceTypeRow[];

interface ResourceTypeRow {
  /** The name in everyday use. */
  readonly short: string;
  /** The `type_url` on the wire. */
  readonly url: `type.googleapis.com/${string}`;
  /** The gRPC service that serves this type alone. */
  readonly service: DiscoveryService;
  /** State-of-the-world answers carry the whole subscribed set; what is absent is removed. */
  readonly fullState: boolean;
  /** A first request without names asks for everything. For other types it asks for nothing. */
  readonly wildcard: boolean;
  /** Additions and changes wait until the proxy has confirmed what comes before them in this table. */
  readonly gated: boolean;
  /** Additions and changes have to be confirmed before the gated types after it move. */
  readonly gates: boolean;
  /**
   * Types whose resources name resources of this one: a removal waits until the proxy has confirmed their new state. Nothing
   * names a listener, so a removal goes out together with the additions: Envoy then frees the old listener's address before
   * it binds the new one's, and refuses the new one otherwise.
   */
  readonly usedBy: readonly string[];
  /**
   * A reconnecting delta client that lists the present version is believed to hold the resource, where a real Envoy, cut at
   * every message, has lost nothing by it. An Envoy may have forgotten a secret that it lists.
   */
  readonly resumable: boolean;
  /** How each variant says that a resource asked for by name does not exist. */
  readonly absent: { readonly sotw: AbsentAnswer; readonly delta: AbsentAnswer };
}

/**
 * `removed`: its name stands among the removed ones. `empty`: a resource of that name with nothing in it, as the client waits
 * for one. `error`: its name stands among the resource errors; to gRPC clients even alone, to others only beside an answer that
 * is due anyway. `bodiless`: an answer with its name and alias, but no body. `silent`: not at all, as the client would take it
 * for a deletion, and deletes something in use.
 */
export type AbsentAnswer = "removed" | "empty" | "error" | "bodiless" | "silent";

/** Names of a single-type service's methods; a type that one variant cannot carry has no method there. */
export interface DiscoveryService {
  /** `/package.Service`, without the method. */
  readonly path: string;
  readonly sotw: string | undefined;
  readonly delta: string | undefined;
  /** The REST-style method, which is never served. */
  readonly fetch: string | undefined;
}

function serviceOf(folder: string, name: string, noun: string): DiscoveryService {
  return {
    path: `/envoy.service.${folder}.v3.${name}`,
    sotw: `Stream${noun}`,
    delta: `Delta${noun}`,
    fetch: `Fetch${noun}`,
  };
}

export type ResourceType = (typeof resourceTypes)[number];
export type TypeName = ResourceType["short"];
export type TypeUrl = ResourceType["url"];

const byUrl: ReadonlyMap<string, ResourceType> = new Map(resourceTypes.map((type) => [type.url, type]));
const byName: ReadonlyMap<TypeName, ResourceType> = new Map(resourceTypes.map((type) => [type.short, type]));

/** The row of a `type_url`; undefined for a type that we do not speak. */
export const resourceTypeOf = (url: string): ResourceType | undefined => byUrl.get(url);

export function resourceType(name: TypeName): ResourceType {
  const type = byName.get(name);
  if (type === undefined) throw new Error(`no such resource type: ${name}`);
  return type;
}

/**
 * A table with one entry for each type, made in the order of the table. Written out: what `Object.fromEntries` gives is slow to
 * read, and such tables are read at every step of a stream.
 */
export const perType = <V>(make: (type: ResourceType) => V): Readonly<Record<TypeName, V>> => ({
  RTDS: make(resourceType("RTDS")),
  CDS: make(resourceType("CDS")),
  EDS: make(resourceType("EDS")),
  LEDS: make(resourceType("LEDS")),
  SDS: make(resourceType("SDS")),
  LDS: make(resourceType("LDS")),
  ECDS: make(resourceType("ECDS")),
  SRDS: make(resourceType("SRDS")),
  RDS: make(resourceType("RDS")),
  VHDS: make(resourceType("VHDS")),
});
