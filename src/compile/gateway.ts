import type { GatewayServer } from "../config/kinds/gateway.ts";
import type { Rule } from "../config/rule.ts";
import { gatewayRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { Route, VirtualHost } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { type Hostname, isWithin, parseHostname } from "../model/hostname.ts";
import type { Aspects } from "./aspects.ts";
import { ownBind } from "./gateway-listener.ts";
import type { View } from "./view.ts";
import { type BoundVirtualService, routesFor } from "./virtual-service.ts";

/** One server of a Gateway rule, with its place. */
interface Server {
  readonly rule: Rule<"Gateway">;
  readonly index: number;
  readonly server: GatewayServer;
}

/** What only gateways get: a listener and a route table for each port (and address) that its Gateway rules open. */
export function compileGateway(view: View, aspects: Aspects): readonly Resource[] {
  const servers = view.gateways.flatMap((rule) => rule.spec.servers.map((server, index) => ({ rule, index, server })));
  const byTable = Map.groupBy(servers, ({ server }) => gatewayRouteName(server.port.number, ownBind(server)));
  return [...byTable].flatMap(([name, group]) => {
    const [first] = group;
    const listener = first === undefined ? undefined : aspects.gatewayListener(first.rule, first.index);
    return listener === undefined ? [] : [listener, aspects.routeTable(name, virtualHosts(view, group, aspects))];
  });
}

/** What the rules for one host say, oldest first. */
interface HostRoutes {
  readonly first: BoundVirtualService;
  readonly lists: Map<BoundVirtualService, readonly Route[]>;
}

/** One virtual host for each host that a server opens and a VirtualService bound to its Gateway speaks of. */
function virtualHosts(view: View, servers: readonly Server[], aspects: Aspects): readonly VirtualHost[] {
  const byHost = new Map<Hostname, HostRoutes>();
  for (const { rule, server } of servers) {
    const gateway = `${rule.namespace}/${rule.name}`;
    for (const virtualService of view.virtualServices) {
      if (!virtualService.gateways.includes(gateway)) continue;
      const routes = routesFor(virtualService, view, server.port.number, aspects.routes);
      for (const host of commonHosts(server.hosts, rule.namespace, virtualService)) {
        const entry = byHost.get(host) ?? { first: virtualService, lists: new Map() };
        entry.lists.set(virtualService, routes);
        byHost.set(host, entry);
      }
    }
  }
  const [first] = servers;
  const port = first?.server.port.number ?? 0;
  if (byHost.size === 0) return first === undefined ? [] : [aspects.blackHoleVirtualHost(first.rule, port)];
  return [...byHost]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([
        host,
        {
          first: { rule },
          lists,
        },
      ]) => aspects.hostVirtualHost(rule, host, port, aspects.mergeRoutes(...lists.values())),
    );
}

/** The hosts that both sides name: of a name and a wildcard that covers it, the name. */
function commonHosts(
  serverHosts: readonly string[],
  gatewayNamespace: string,
  { hosts, rule }: BoundVirtualService,
): ReadonlySet<Hostname> {
  const common = new Set<Hostname>();
  for (const text of serverHosts) {
    const [first = "", second] = text.split("/");
    const host = parseHostname(second ?? first);
    const namespace = second === undefined ? "*" : first === "." ? gatewayNamespace : first;
    if (host === undefined || (namespace !== "*" && namespace !== rule.namespace)) continue;
    for (const own of hosts) {
      if (isWithin(own, host)) common.add(own);
      else if (isWithin(host, own)) common.add(host);
    }
  }
  return common;
}
