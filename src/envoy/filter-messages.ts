import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { type JsonPointer, pointerTo } from "../base/json-pointer.ts";
import type { FilterChain } from "../gen/envoy/config/listener/v3/listener_components_pb.ts";
import type { Listener } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { FilterConfigSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { CorsPolicySchema } from "../gen/envoy/extensions/filters/http/cors/v3/cors_pb.ts";
import { HTTPFaultSchema } from "../gen/envoy/extensions/filters/http/fault/v3/fault_pb.ts";
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
export function terminalOf({ filters }: FilterChain, pointer: JsonPointer): Terminal | undefined {
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

/** Settings of HTTP filters for one level of a route table: by the filter's name. */
export type FilterSettings = Readonly<Record<string, Any>>;

/** The names under which a manager runs filters of a kind, by the type of their own configuration. */
export const filterNames = ({ httpFilters }: HttpConnectionManager, type: string): readonly string[] =>
  httpFilters.flatMap(({ name, configType, disabled }) =>
    !disabled && configType.case === "typedConfig" && packedType(configType.value) === type ? [name] : [],
  );

export const faultType = HTTPFaultSchema.typeName;
export const corsType = "envoy.extensions.filters.http.cors.v3.Cors";

/** A filter's settings on the nearest level that has some: levels from the nearest to the farthest. */
export const faultAt = (levels: readonly FilterSettings[], name: string) => settingAt(levels, name, HTTPFaultSchema);
export const corsAt = (levels: readonly FilterSettings[], name: string) => settingAt(levels, name, CorsPolicySchema);

function settingAt<D extends typeof HTTPFaultSchema | typeof CorsPolicySchema>(
  levels: readonly FilterSettings[],
  name: string,
  schema: D,
) {
  const any = levels.map((settings) => settings[name]).find((one) => one !== undefined);
  if (any === undefined) return undefined;
  const wrapped = unpacked(FilterConfigSchema, any) ?? create(FilterConfigSchema, { config: any });
  return wrapped.disabled || wrapped.config === undefined ? undefined : unpacked(schema, wrapped.config);
}
