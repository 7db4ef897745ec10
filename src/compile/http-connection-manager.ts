import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { packAny } from "../envoy/pack.ts";
import type { RouteConfiguration } from "../gen/envoy/config/route/v3/route_pb.ts";
import {
  type HttpConnectionManager,
  HttpConnectionManager_CodecType,
  HttpConnectionManagerSchema,
  type HttpFilter,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import { httpFilters } from "./http-filters.ts";
import { duration, overAds } from "./wire-values.ts";

/** Where a listener's route table is: a resource of its own, or inside. */
export type RouteSource =
  | { readonly kind: "rds"; readonly name: string }
  | { readonly kind: "inline"; readonly table: RouteConfiguration };

export interface HttpConnectionManagerInput {
  /** The prefix of the listener's statistics. */
  readonly statPrefix: string;
  readonly routes: RouteSource;
  /** Is it the mesh's edge? Then the peer's address is the client's, whatever the request claims. */
  readonly edge: boolean;
}

export const httpConnectionManagerName = "envoy.filters.network.http_connection_manager";

export function httpConnectionManager({ statPrefix, routes, edge }: HttpConnectionManagerInput): Any {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix,
    codecType: HttpConnectionManager_CodecType.AUTO,
    routeSpecifier: routeSpecifier(routes),
    httpFilters: httpFilters() as HttpFilter[],
    useRemoteAddress: edge,
    normalizePath: true,
    streamIdleTimeout: duration(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    proxy100Continue: true,
  });
  return packAny(HttpConnectionManagerSchema, manager);
}

type RouteSpecifier = NonNullable<
  Exclude<MessageInitShape<typeof HttpConnectionManagerSchema>, HttpConnectionManager>["routeSpecifier"]
>;

export function routeSpecifier(routes: RouteSource): RouteSpecifier {
  return routes.kind === "rds"
    ? { case: "rds", value: { configSource: overAds(), routeConfigName: routes.name } }
    : { case: "routeConfig", value: routes.table };
}
