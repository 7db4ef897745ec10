import { create } from "@bufbuild/protobuf";
import { packAny } from "../envoy/pack.ts";
import { RouterSchema } from "../gen/envoy/extensions/filters/http/router/v3/router_pb.ts";
import {
  type HttpFilter,
  HttpFilterSchema,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";

/** The HTTP filters of every listener. The position in the table is the position in the chain; the router is last. */
const table: readonly { readonly name: string; readonly make: () => HttpFilter["configType"] }[] = [
  {
    name: "envoy.filters.http.router",
    make: () => ({ case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) }),
  },
];

export function httpFilters(): readonly HttpFilter[] {
  return table.map(({ name, make }) => create(HttpFilterSchema, { name, configType: make() }));
}
