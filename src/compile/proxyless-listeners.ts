import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { clientListenerName, clientRouteName, serverListenerNames } from "../envoy/names.ts";
import { packAny } from "../envoy/pack.ts";
import { type Provenance, trace } from "../envoy/provenance.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { TrafficDirection } from "../gen/envoy/config/core/v3/base_pb.ts";
import { ListenerSchema } from "../gen/envoy/config/listener/v3/listener_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import {
  HttpConnectionManagerSchema,
  type HttpFilter,
} from "../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { ServicePort } from "../model/port.ts";
import type { NamedService } from "./aliases.ts";
import { callableNames } from "./hosts.ts";
import { httpConnectionManagerName, type RouteSource, routeSpecifier } from "./http-connection-manager.ts";
import { httpFilters } from "./http-filters.ts";
import { fromService, fromSetting } from "./origins.ts";
import { encodeResource } from "./resource.ts";
import { socketAddress } from "./wire-values.ts";

/** The listeners of one port of a service. */
export interface ClientListeners {
  /** Under the service's own name. */
  readonly full: readonly Resource[];
  /** Under its aliases, and the short forms that a workload of the DNS domain may use. */
  readonly short: readonly Resource[];
}

/** One for each name that the port may be dialled by: with its number, and without where the service has no other port. */
export function compileClientListeners(service: NamedService, port: ServicePort, dnsDomain: string): ClientListeners {
  const route = clientRouteName(port.number, service.hostname);
  const origin = fromService(service);
  const references = [{ type: "RDS", name: route }] as const;
  // A mesh has many names: they share what they can.
  const apiListener = { apiListener: connectionManager(route, { kind: "rds", name: route }) };
  const provenance = (): Provenance => [{ pointer: "", origins: [origin] }];
  const [full = [], ...short] = callableNames(service, dnsDomain)
    .filter((host) => !host.endsWith("."))
    .map((host) => [clientListenerName(host, port.number), ...(service.ports.length === 1 ? [host] : [])])
    .map((names) =>
      names.map((name): Resource => {
        const message = create(ListenerSchema, { name, apiListener, trafficDirection: TrafficDirection.OUTBOUND });
        return { ...encodeResource("LDS", name, ListenerSchema, message, references), provenance };
      }),
    );
  return { full, short: short.flat() };
}

/**
 * Where gRPC servers listen that say so by an address which tells nothing of their workload. One that names its own address would
 * make every copy a profile of its own.
 */
const binds = ["0.0.0.0", "::", "127.0.0.1", "::1"];

/**
 * What a gRPC server that listens on `port` waits for before it serves, under every name that it may ask by. It lets every call in.
 */
export function compileServerListeners(_mesh: MeshSettings, port: number): readonly Resource[] {
  const origin = fromSetting("proxyless server");
  const table = create(RouteConfigurationSchema, {
    name: `inbound|${port}||`,
    virtualHosts: [
      {
        name: `inbound|${port}`,
        domains: ["*"],
        routes: [
          {
            match: { pathSpecifier: { case: "prefix", value: "/" } },
            action: { case: "nonForwardingAction", value: {} },
          },
        ],
      },
    ],
  });
  const manager = connectionManager(table.name, { kind: "inline", table });
  const filter = { name: httpConnectionManagerName, configType: { case: "typedConfig", value: manager } } as const;
  const filterChains = [{ name: `inbound|${port}`, filters: [filter] }];
  const trafficDirection = TrafficDirection.INBOUND;
  return binds.flatMap((bind) =>
    serverListenerNames(bind, port).map((name) => {
      const address = socketAddress(bind, port);
      const message = create(ListenerSchema, { name, address, trafficDirection, filterChains });
      return encodeResource("LDS", name, ListenerSchema, trace(message, origin), []);
    }),
  );
}

/** Of all that a connection manager can say, gRPC reads the routes, the filters and a limit on streams. */
function connectionManager(statPrefix: string, routes: RouteSource): Any {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix,
    routeSpecifier: routeSpecifier(routes),
    httpFilters: httpFilters() as HttpFilter[],
  });
  return packAny(HttpConnectionManagerSchema, manager);
}
