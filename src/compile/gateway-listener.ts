import type { GatewayServer } from "../config/kinds/gateway.ts";
import type { Rule } from "../config/rule.ts";
import { gatewayRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { compileHttpListener } from "./listeners.ts";
import { fromRule } from "./origins.ts";

const allAddresses = "0.0.0.0";

/** The address of a server that does not listen on all of them. */
export const ownBind = ({ bind }: GatewayServer): string | undefined => (bind === allAddresses ? undefined : bind);

/** The address that a server listens on. */
export const serverBind = ({ bind = allAddresses }: GatewayServer): string => bind;

/** The listener of one port of a gateway, after the first server that opens it. */
export function compileGatewayListener(rule: Rule<"Gateway">, index: number): Resource | undefined {
  const server = rule.spec.servers[index];
  if (server === undefined) return undefined;
  const { port } = server;
  return compileHttpListener({
    bind: serverBind(server),
    port: port.number,
    direction: "outbound",
    routes: { kind: "rds", name: gatewayRouteName(port.number, ownBind(server)) },
    edge: true,
    clusters: [],
    origin: fromRule(rule, `/spec/servers/${index}`),
  });
}
