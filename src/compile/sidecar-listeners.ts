import { create } from "@bufbuild/protobuf";
import type { EgressListener, IngressListener } from "../config/kinds/sidecar.ts";
import type { Rule } from "../config/rule.ts";
import { inboundClusterName, sidecarRouteName } from "../envoy/names.ts";
import type { Resource } from "../envoy/resource-set.ts";
import { VirtualHostSchema } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import { wildcardFor } from "../model/ip-address.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { compileInboundCluster } from "./clusters.ts";
import { compileHttpListener } from "./listeners.ts";
import { fromRule } from "./origins.ts";
import { defaultRoute } from "./routes.ts";
import { isOwnAddress } from "./sidecar-choice.ts";

/** The address that an egress listener is on. */
export const egressBind = ({ bind = "127.0.0.1" }: EgressListener): string => bind;

/** The address that an ingress listener is on; `address` is the workload's own, where the rule asks for it. */
export const ingressBind = ({ bind }: IngressListener, address: string | undefined): string =>
  bind ?? listenAddress(address);

/** The listener that the application calls other services through. */
export function compileEgressListener(rule: Rule<"Sidecar">, index: number): Resource | undefined {
  const egress = rule.spec.egress[index];
  if (egress === undefined) return undefined;
  const { port = { number: 0 } } = egress;
  return compileHttpListener({
    bind: egressBind(egress),
    port: port.number,
    direction: "outbound",
    routes: { kind: "rds", name: sidecarRouteName(port.number) },
    edge: false,
    clusters: [],
    origin: fromRule(rule, `/spec/egress/${index}`),
  });
}

/**
 * The listener for calls to the workload, with its route table inside, and the cluster of the application behind it. `address` is
 * the workload's own, where the rule asks for it.
 */
export function compileIngress(
  rule: Rule<"Sidecar">,
  mesh: MeshSettings,
  index: number,
  address: string | undefined,
): readonly Resource[] {
  const ingress = rule.spec.ingress[index];
  if (ingress === undefined) return [];
  const { port, defaultEndpoint = { address: "127.0.0.1", port: port.number } } = ingress;
  const origin = fromRule(rule, `/spec/ingress/${index}`);
  const ownTarget = isOwnAddress(defaultEndpoint.address) ? address : undefined;
  const target = { address: ownTarget ?? defaultEndpoint.address, port: defaultEndpoint.port };
  const cluster = inboundClusterName(port.number);
  const host = create(VirtualHostSchema, {
    name: `inbound|http|${port.number}`,
    domains: ["*"],
    routes: [defaultRoute(cluster, origin)],
  });
  const table = create(RouteConfigurationSchema, { name: cluster, virtualHosts: [host], validateClusters: false });
  const listener = compileHttpListener({
    bind: ingressBind(ingress, address),
    port: port.number,
    direction: "inbound",
    routes: { kind: "inline", table },
    edge: false,
    clusters: [cluster],
    origin,
  });
  return [listener, compileInboundCluster(port, target, mesh, origin)];
}

/** The workload's own address; a loopback one cannot be reached from elsewhere, so all of them then. */
function listenAddress(address: string | undefined): string {
  if (address === undefined) return "0.0.0.0";
  return address.startsWith("127.") || address === "::1" ? wildcardFor(address) : address;
}
