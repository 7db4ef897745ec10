import { type DescMessage, fromJson, type JsonObject, type JsonValue, type MessageShape } from "@bufbuild/protobuf";
import { ClusterSchema } from "../gen/envoy/config/cluster/v3/cluster_pb.ts";
import { ClusterLoadAssignmentSchema } from "../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { messageTypes } from "./pack.ts";
import type { ProxyResources } from "./proxy-resources.ts";
import { withKnownTypes } from "./unknown-types.ts";

/** The parts of a config dump that decide where a request goes, and the field of a resource in each of their lists. */
const lists = {
  listeners: [
    ["static_listeners", ["listener"]],
    ["dynamic_listeners", ["active_state", "listener"]],
  ],
  routes: [
    ["static_route_configs", ["route_config"]],
    ["dynamic_route_configs", ["route_config"]],
  ],
  clusters: [
    ["static_clusters", ["cluster"]],
    ["dynamic_active_clusters", ["cluster"]],
  ],
  endpoints: [
    ["static_endpoint_configs", ["endpoint_config"]],
    ["dynamic_endpoint_configs", ["endpoint_config"]],
  ],
} as const;

/** What is in force of an Envoy's `/config_dump?include_eds`, or of a part of it. Throws where it is no such document. */
export function resourcesInDump(dump: JsonValue): ProxyResources {
  if (!Array.isArray(fieldOf(dump, "configs"))) throw new Error('there is no list "configs"');
  const listeners = messagesIn(dump, "listeners", ListenerSchema);
  const routeTables = byName(messagesIn(dump, "routes", RouteConfigurationSchema), ({ name }) => name);
  const clusters = byName(messagesIn(dump, "clusters", ClusterSchema), ({ name }) => name);
  const endpoints = byName(messagesIn(dump, "endpoints", ClusterLoadAssignmentSchema), (one) => one.clusterName);
  return {
    listeners: () => listeners,
    routeTable: (name) => routeTables.get(name),
    cluster: (name) => clusters.get(name),
    endpoints: (name) => endpoints.get(name),
    originsAt: () => [],
  };
}

/** Which release of Envoy made the dump, such as `1.40.0`; undefined where it does not say. */
export function releaseInDump(dump: JsonValue): string | undefined {
  const path = ["bootstrap", "node", "user_agent_build_version", "version"] as const;
  const [version] = items(fieldOf(dump, "configs")).flatMap((part) => {
    const found = path.reduce<JsonValue | undefined>(fieldOf, part);
    return isObject(found) ? [found] : [];
  });
  if (version === undefined) return undefined;
  return ["major_number", "minor_number", "patch"].map((field) => Number(version[field] ?? 0)).join(".");
}

/** What comes first counts. */
function byName<T>(messages: readonly T[], nameOf: (message: T) => string): ReadonlyMap<string, T> {
  return new Map(messages.map((message) => [nameOf(message), message] as const).reverse());
}

function messagesIn<D extends DescMessage>(
  dump: JsonValue,
  kind: keyof typeof lists,
  schema: D,
): readonly MessageShape<D>[] {
  const parts = items(fieldOf(dump, "configs"));
  return lists[kind].flatMap(([list, path]) =>
    parts
      .flatMap((part) => items(fieldOf(part, list)))
      .flatMap((item) => {
        const resource = path.reduce<JsonValue | undefined>(fieldOf, item);
        if (!isObject(resource)) return [];
        const { "@type": _, ...message } = resource;
        return [fromJson(schema, withKnownTypes(message), { registry: messageTypes, ignoreUnknownFields: true })];
      }),
  );
}

const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const fieldOf = (value: JsonValue | undefined, key: string): JsonValue | undefined =>
  isObject(value) ? value[key] : undefined;

const items = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
