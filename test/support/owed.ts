import { create, fromJson, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import type { EnvoyAdmin } from "../../src/app/envoy/admin.ts";
import { bytesJson, messageTypes } from "../../src/envoy/pack.ts";
import type { Resource, ResourceSet } from "../../src/envoy/resource-set.ts";
import { resourceType } from "../../src/envoy/resource-types.ts";

/**
 * What an Envoy holds and uses against what it is owed, by content: a state-of-the-world dump has no versions of resources.
 * Lists what is different, by type and name; empty when nothing is, and nothing warms. `types`: what can stand in it.
 */
export async function differencesFrom(
  { resources }: ResourceSet,
  admin: EnvoyAdmin,
  types: Registry = messageTypes,
): Promise<readonly string[]> {
  const { configs = [] } = (await admin.configDump({ includeEndpoints: true })) as Dump;
  const listeners = configs.flatMap((config) => config.dynamic_listeners ?? []);
  const warming = [
    ...configs.flatMap((config) => config.dynamic_warming_clusters ?? []).map(({ cluster }) => cluster.name),
    ...listeners.filter(({ warming_state, error_state }) => warming_state ?? error_state).map(({ name }) => name),
  ];
  const held = {
    CDS: configs.flatMap((config) => config.dynamic_active_clusters ?? []).map(({ cluster }) => cluster),
    LDS: listeners.flatMap(({ active_state }) => (active_state === undefined ? [] : [active_state.listener])),
    RDS: configs.flatMap((config) => config.dynamic_route_configs ?? []).map(({ route_config }) => route_config),
  };
  const endpoints = configs
    .flatMap((config) => config.dynamic_endpoint_configs ?? [])
    .map(({ endpoint_config }) => endpoint_config);
  return [
    ...warming.map((name) => `${name} is warming`),
    ...compare("CDS", held.CDS, resources.CDS, types, "exactly"),
    ...compare("LDS", held.LDS, resources.LDS, types, "exactly"),
    // Listeners that drain keep their route tables, and those that are gone leave theirs for a while.
    ...compare("RDS", held.RDS, resources.RDS, types, "at least"),
    ...compareEndpoints(endpoints, resources.EDS),
  ];
}

type NamedJson = { readonly name: string } & { readonly [field: string]: JsonValue };

interface Dump {
  readonly configs?: readonly {
    readonly dynamic_active_clusters?: readonly { readonly cluster: NamedJson }[];
    readonly dynamic_warming_clusters?: readonly { readonly cluster: NamedJson }[];
    readonly dynamic_listeners?: readonly {
      readonly name: string;
      readonly active_state?: { readonly listener: NamedJson };
      readonly warming_state?: object;
      readonly error_state?: object;
    }[];
    readonly dynamic_route_configs?: readonly { readonly route_config: NamedJson }[];
    readonly dynamic_endpoint_configs?: readonly { readonly endpoint_config: Assignment }[];
  }[];
}

interface Assignment {
  readonly cluster_name?: string;
  readonly endpoints?: readonly {
    readonly lb_endpoints?: readonly {
      readonly endpoint: { readonly address: { readonly socket_address: SocketAddress } };
    }[];
  }[];
}

interface SocketAddress {
  readonly address: string;
  readonly port_value: number;
}

function compare(
  type: "CDS" | "LDS" | "RDS",
  held: readonly NamedJson[],
  owed: ReadonlyMap<string, Resource>,
  types: Registry,
  how: "exactly" | "at least",
): readonly string[] {
  const byName = new Map(held.map((json) => [json.name, json]));
  const extra = how === "exactly" ? [...byName.keys()].filter((name) => !owed.has(name)) : [];
  return [
    ...extra.map((name) => `${type} ${name} should be gone`),
    ...[...owed.values()].flatMap((resource) => {
      const json = byName.get(resource.name);
      if (json === undefined) return [`${type} ${resource.name} is not there`];
      return canonical(json, types) === canonicalOf(resource, types) ? [] : [`${type} ${resource.name} is another`];
    }),
  ];
}

/** What Envoy prints, read and printed by us: the two print the same message differently. */
function canonical(json: JsonValue, registry: Registry): string {
  const any: Any = fromJson(AnySchema, json, { registry, ignoreUnknownFields: true });
  return JSON.stringify(toJson(AnySchema, any, { registry }));
}

function canonicalOf({ type, bytes }: Resource, registry: Registry): string {
  const any = create(AnySchema, { typeUrl: resourceType(type).url, value: bytes });
  return JSON.stringify(toJson(AnySchema, any, { registry }));
}

function compareEndpoints(held: readonly Assignment[], owed: ReadonlyMap<string, Resource>): readonly string[] {
  const byName = new Map(held.map((assignment) => [assignment.cluster_name ?? "", addressesOf(assignment)]));
  return [...owed.values()].flatMap(({ name, bytes }) => {
    const wanted = addressesOf(snakeAssignment(bytesJson(resourceType("EDS").url, bytes)));
    const has = byName.get(name);
    return has === wanted ? [] : [`EDS ${name} has ${has ?? "nothing"} instead of ${wanted}`];
  });
}

const addressesOf = ({ endpoints = [] }: Assignment): string =>
  endpoints
    .flatMap(({ lb_endpoints = [] }) => lb_endpoints)
    .map(({ endpoint }) => endpoint.address.socket_address)
    .map(({ address, port_value }) => `${address}:${port_value}`)
    .sort()
    .join(" ");

/** Ours, as Envoy would print it. */
function snakeAssignment(json: JsonValue): Assignment {
  const snake = (text: string): string => text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return JSON.parse(JSON.stringify(json), (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [snake(name), inner]))
      : value,
  ) as Assignment;
}
