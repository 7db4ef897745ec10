/**
 * The resource types of xDS that we speak, as one table. The order of the rows is the order in which additions and changes
 * go to a proxy, so that nothing is named before it is there; removals go the other way round.
 * Source: xDS protocol, "Eventual consistency considerations", and how Envoy treats each type.
 */
export const resourceTypes = [
  { short: "CDS", url: "type.googleapis.com/envoy.config.cluster.v3.Cluster", fullState: true, wildcard: true },
  {
    short: "EDS",
    url: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    fullState: false,
    wildcard: false,
  },
  { short: "LDS", url: "type.googleapis.com/envoy.config.listener.v3.Listener", fullState: true, wildcard: true },
  {
    short: "RDS",
    url: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    fullState: false,
    wildcard: false,
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
