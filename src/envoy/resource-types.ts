/**
 * The resource types of xDS that we speak, as one table. The order of the rows is the order in which additions and changes
 * go to a proxy, so that nothing is named before it is there; removals wait for the types of `usedBy`.
 * Source: xDS protocol, "Eventual consistency considerations", and how Envoy treats each type.
 */
export const resourceTypes = [
  {
    short: "CDS",
    url: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    fullState: true,
    wildcard: true,
    usedBy: ["LDS", "RDS"],
    resumable: true,
  },
  {
    short: "EDS",
    url: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    fullState: false,
    wildcard: false,
    usedBy: ["CDS"],
    resumable: true,
  },
  {
    short: "LDS",
    url: "type.googleapis.com/envoy.config.listener.v3.Listener",
    fullState: true,
    wildcard: true,
    usedBy: [],
    resumable: true,
  },
  {
    short: "RDS",
    url: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    fullState: false,
    wildcard: false,
    usedBy: ["LDS"],
    resumable: false,
  },
] as const satisfies readonly ResourceTypeRow[];

interface ResourceTypeRow {
  /** The name in everyday use. */
  readonly short: string;
  /** The `type_url` on the wire. */
  readonly url: `type.googleapis.com/${string}`;
  /** State-of-the-world answers carry the whole subscribed set; what is absent is removed. */
  readonly fullState: boolean;
  /** A first request without names asks for everything. For other types it asks for nothing. */
  readonly wildcard: boolean;
  /**
   * Types whose resources name resources of this one: a removal waits until the proxy has confirmed their new state. Nothing
   * names a listener, so a removal goes out together with the additions: Envoy then frees the old listener's address before
   * it binds the new one's, and refuses the new one otherwise.
   */
  readonly usedBy: readonly string[];
  /**
   * A reconnecting delta client that lists the present version is believed to hold the resource. Endpoints may be, because
   * their version covers their cluster; routes are sent again, because nothing ties them to their listener.
   */
  readonly resumable: boolean;
}

export type ResourceType = (typeof resourceTypes)[number];
export type TypeName = ResourceType["short"];
export type TypeUrl = ResourceType["url"];

const byUrl: ReadonlyMap<string, ResourceType> = new Map(resourceTypes.map((type) => [type.url, type]));
const byName: ReadonlyMap<TypeName, ResourceType> = new Map(resourceTypes.map((type) => [type.short, type]));

/** The row of a `type_url`; undefined for a type that we generate nothing for. */
export const resourceTypeOf = (url: string): ResourceType | undefined => byUrl.get(url);

export function resourceType(name: TypeName): ResourceType {
  const type = byName.get(name);
  if (type === undefined) throw new Error(`no such resource type: ${name}`);
  return type;
}
