import { memoize } from "../base/memo.ts";
import type { IngressListener } from "../config/kinds/sidecar.ts";
import type { Rule } from "../config/rule.ts";
import { inboundClusterName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { wildcardFor } from "../model/ip-address.ts";
import type { InterceptionMode } from "../model/proxy.ts";
import type { InboundPort } from "./inbound.ts";
import { compileInboundCluster, compileWorkloadCluster } from "./inbound-clusters.ts";
import { inboundRoutes } from "./inbound-routes.ts";
import { compileHttpListener } from "./listeners.ts";
import { fromRule } from "./origins.ts";
import { isCaptured, isOwnAddress } from "./sidecar-choice.ts";
import type { SidecarSettings } from "./sidecar-settings.ts";

/* The ingress listeners of a Sidecar rule: calls to the workload, which its application then gets. */

/** The address that an ingress listener is on; `address` is the workload's own, where the rule asks for it. */
export const ingressBind = ({ bind }: IngressListener, address: string | undefined): string =>
  bind ?? listenAddress(address);

/** The captured ones, as parts of the listener that gets all that is captured. */
export const capturedIngress = memoize(
  (rule: Rule<"Sidecar">, interception: InterceptionMode): readonly InboundPort[] =>
    rule.spec.ingress.flatMap((ingress, index) => {
      if (!isCaptured(ingress, interception)) return [];
      const { number, protocol } = ingress.port;
      return [{ port: number, protocol, servicePort: number, origin: fromRule(rule, `/spec/ingress/${index}`) }];
    }),
);

/**
 * The cluster of the application, and the listener where connections are not captured, with its route table inside. `address` is the
 * workload's own, where the rule asks for it.
 */
export function compileIngress(
  rule: Rule<"Sidecar">,
  settings: SidecarSettings,
  index: number,
  address: string | undefined,
): readonly Resource[] {
  const ingress = rule.spec.ingress[index];
  if (ingress === undefined) return [];
  const { interception, mesh, families } = settings;
  const { port, defaultEndpoint } = ingress;
  const origin = fromRule(rule, `/spec/ingress/${index}`);
  const captured = isCaptured(ingress, interception);
  if (captured && defaultEndpoint === undefined) {
    const { number, protocol } = port;
    return [compileWorkloadCluster({ port: number, protocol, servicePort: number, origin }, settings)];
  }
  const given = defaultEndpoint ?? { address: "127.0.0.1", port: port.number };
  const target = { ...given, address: (isOwnAddress(given.address) ? address : undefined) ?? given.address };
  const application = compileInboundCluster(port, target, mesh, origin, captured ? families : undefined);
  if (captured) return [application];
  const cluster = inboundClusterName(port.number);
  const listener = compileHttpListener({
    bind: ingressBind(ingress, address),
    port: port.number,
    direction: "inbound",
    routes: {
      kind: "inline",
      table: inboundRoutes({ cluster, protocol: port.protocol, servicePort: port.number, origin }),
    },
    edge: false,
    clusters: [cluster],
    origin,
  });
  return [listener, application];
}

/** The workload's own address; a loopback one cannot be reached from elsewhere, so all of them then. */
function listenAddress(address: string | undefined): string {
  if (address === undefined) return "0.0.0.0";
  return address.startsWith("127.") || address === "::1" ? wildcardFor(address) : address;
}
