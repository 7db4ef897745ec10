import type { Any } from "@bufbuild/protobuf/wkt";
import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import type { FilterChain } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import type { Listener } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { FilterConfigSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type CorsPolicy, CorsPolicySchema } from "../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { type HTTPFault, HTTPFaultSchema } from "../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
import { RouterSchema } from "../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { type TcpProxy, TcpProxySchema } from "../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";
import { packedType } from "./unknown-types.ts";
import { unpacked } from "./unpack.ts";

export type { FilterChain } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
export type { CorsPolicy } from "../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
export type { HTTPFault } from "../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
export type { HttpConnectionManager } from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
export type { TcpProxy } from "../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts";

/** What makes a connection's bytes into requests, or passes them on. `pointer`: its configuration, in the listener. */
export type Terminal =
  | { readonly kind: "http"; readonly manager: HttpConnectionManager; readonly pointer: JsonPointer }
  | { readonly kind: "tcp"; readonly proxy: TcpProxy; readonly pointer: JsonPointer }
  /** A filter that we do not know; its type's name. */
  | { readonly kind: "other"; readonly type: string; readonly pointer: JsonPointer };

/** The last filter of a chain; undefined: it has none, and the connection is closed. */
export function terminalOf({ filters }: Pick<FilterChain, "filters">, pointer: JsonPointer): Terminal | undefined {
  const filter = filters.at(-1);
  if (filter === undefined) return undefined;
  const at = pointerTo(pointerTo(pointerTo(pointer, "filters"), filters.length - 1), "typedConfig");
  return filter.configType.case === "typedConfig"
    ? terminalIn(filter.configType.value, at)
    : { kind: "other", type: filter.name, pointer: at };
}

/** What a client without listening sockets, such as one of gRPC, has in its place. */
export const apiTerminalOf = ({ apiListener }: Listener): Terminal | undefined =>
  apiListener?.apiListener && terminalIn(apiListener.apiListener, "/apiListener/apiListener");

function terminalIn(any: Any, pointer: JsonPointer): Terminal {
  const manager = unpacked(HttpConnectionManagerSchema, any);
  if (manager !== undefined) return { kind: "http", manager, pointer };
  const proxy = unpacked(TcpProxySchema, any);
  if (proxy !== undefined) return { kind: "tcp", proxy, pointer };
  return { kind: "other", type: packedType(any), pointer };
}

/** The types of filters on the way to the end of a chain, and in its manager, of which we know no more than that they are there. */
export function unknownFiltersIn({ filters }: Pick<FilterChain, "filters">): readonly string[] {
  const terminal = terminalOf({ filters }, "");
  const before = filters.slice(0, -1);
  const inside = terminal?.kind === "http" ? terminal.manager.httpFilters.filter(({ disabled }) => !disabled) : [];
  const types = [...before, ...inside].map(({ name, configType }) =>
    configType.case === "typedConfig" ? packedType(configType.value) : name,
  );
  return [...new Set(types)].filter((type) => !knownFilters.has(type));
}

/** Settings of HTTP filters for one level of a route table, by the filter's name. */
export type FilterSettings = Readonly<Record<string, Any>>;

/** What holds of a kind of filter for one request: of the first that a manager runs and that is on there. */
export const faultFor = (manager: HttpConnectionManager, levels: readonly FilterSettings[]): HTTPFault | undefined =>
  filtersOn(manager, HTTPFaultSchema.typeName, levels)
    .flatMap(({ own, settings }) => [...settings, own])
    .map((any) => unpacked(HTTPFaultSchema, any))
    .find((message) => message !== undefined);

/** Those of all levels, from the nearest on, as each field is taken from the first that has it. Undefined: no such filter is on. */
export const corsFor = (
  manager: HttpConnectionManager,
  levels: readonly FilterSettings[],
): readonly CorsPolicy[] | undefined =>
  filtersOn(manager, corsType, levels)[0]?.settings.flatMap((any) => unpacked(CorsPolicySchema, any) ?? []);

const corsType = "envoy.extensions.filters.http.cors.v3.Cors";

/** What they do is told, or nothing that matters here. */
const knownFilters: ReadonlySet<string> = new Set([
  ...[RouterSchema.typeName, HTTPFaultSchema.typeName, corsType],
  "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
]);

interface FilterOn {
  /** Its own configuration. */
  readonly own: Any;
  /** Of the levels that have some, from the nearest to the farthest. */
  readonly settings: readonly Any[];
}

/** The nearest level that speaks of a filter says whether it is on; that it has settings there is enough. */
function filtersOn(
  { httpFilters }: HttpConnectionManager,
  type: string,
  levels: readonly FilterSettings[],
): readonly FilterOn[] {
  return httpFilters.flatMap(({ name, configType, disabled }) => {
    if (configType.case !== "typedConfig" || packedType(configType.value) !== type) return [];
    const said = levels.flatMap((settings) => settings[name] ?? []).map(wrapped);
    const [nearest = { disabled }] = said;
    return nearest.disabled ? [] : [{ own: configType.value, settings: said.flatMap(({ config }) => config ?? []) }];
  });
}

const wrapped = (any: Any): { readonly disabled: boolean; readonly config?: Any | undefined } =>
  unpacked(FilterConfigSchema, any) ?? { disabled: false, config: any };
