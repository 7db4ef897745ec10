import { create } from "@bufbuild/protobuf";
import type { Rule } from "../config/rule.ts";
import { outboundClusterName, passthroughCluster } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import {
  type Route,
  type VirtualHost,
  VirtualHost_TlsRequirementType,
  VirtualHostSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import type { Hostname } from "../model/hostname.ts";
import type { ServicePort } from "../model/port.ts";
import type { NamedService } from "./aliases.ts";
import type { GovernedServices } from "./governing-rules.ts";
import { callableNames, captureNames, domainFor } from "./hosts.ts";
import { fromRule, fromService } from "./origins.ts";
import { defaultRoute, isCatchAllRoute } from "./routes.ts";
import type { OutboundPolicy } from "./sidecar-settings.ts";

function virtualHost(name: string, domains: readonly string[], routes: readonly Route[], origin: Origin): VirtualHost {
  const host = create(VirtualHostSchema, {
    name,
    domains: [...new Set(domains)],
    routes: [...routes],
    requireTls: VirtualHost_TlsRequirementType.NONE,
    includeRequestAttemptCount: true,
  });
  return trace(host, origin);
}

/** A service as a sidecar calls it: the routes of the rule that speaks of it, else one to all of its instances. */
export function serviceVirtualHost(
  service: NamedService,
  port: ServicePort,
  dnsDomain: string,
  routes: readonly Route[] | undefined,
): VirtualHost {
  return hostOfService(service, port, captureNames(service, dnsDomain), routes);
}

/** Those of all services of a port; `routes` are of those that rules speak of. */
export function portHosts(
  makeHost: typeof serviceVirtualHost,
  { services, ruleOf }: GovernedServices,
  dnsDomain: string,
  ...routes: readonly (readonly Route[])[]
): readonly VirtualHost[] {
  return services.map((one) => {
    const rule = ruleOf.get(one);
    const own = rule === undefined ? undefined : routes[rule];
    return makeHost(one.service, one.port, domainFor(one.service, dnsDomain), own);
  });
}

/** The same for one that has a listener for itself: whatever the host is, the service is meant. */
export const ownVirtualHost = (
  service: NamedService,
  port: ServicePort,
  routes: readonly Route[] | undefined,
): VirtualHost => hostOfService(service, port, ["*"], routes);

/** The same for a proxy that is called by name and port. */
export function proxyVirtualHost(
  service: NamedService,
  port: ServicePort,
  dnsDomain: string,
  routes: readonly Route[] | undefined,
): VirtualHost {
  return hostOfService(service, port, withPort(captureNames(service, dnsDomain), port), routes);
}

/** The same for a gRPC client, which looks for the very text that it dialled, port included. */
export function clientVirtualHost(
  service: NamedService,
  port: ServicePort,
  dnsDomain: string,
  routes: readonly Route[] | undefined,
): VirtualHost {
  return hostOfService(service, port, withPort(callableNames(service, dnsDomain), port), routes);
}

/** With the number, and without. */
const withPort = (names: readonly string[], { number }: ServicePort): readonly string[] => [
  ...names,
  ...names.map((name) => `${name}:${number}`),
];

function hostOfService(
  service: NamedService,
  port: ServicePort,
  domains: readonly string[],
  routes: readonly Route[] | undefined,
): VirtualHost {
  const origin = fromService(service);
  const all = outboundClusterName(port.number, "", service.hostname);
  const name = `${service.hostname}:${port.number}`;
  return virtualHost(name, domains, routes ?? [defaultRoute(all, origin)], origin);
}

/** A host that only rules speak of; `rule` is the first of them. */
export function hostVirtualHost(
  rule: Rule<"VirtualService">,
  host: Hostname,
  port: number,
  routes: readonly Route[],
): VirtualHost {
  return virtualHost(`${host}:${port}`, [host], routes, fromRule(rule, "/spec/hosts"));
}

/** Several rules for one host: their routes one after the other, those that take everything last. */
export function mergeRoutes(...lists: readonly (readonly Route[])[]): readonly Route[] {
  const all = lists.flat();
  if (lists.length < 2) return all;
  return [...all.filter((route) => !isCatchAllRoute(route)), ...all.filter(isCatchAllRoute)];
}

/** What a sidecar does with hosts that it does not know. */
export function unknownHosts({ mode, origin }: OutboundPolicy): VirtualHost {
  if (mode === "ALLOW_ANY") {
    return virtualHost("allow_any", ["*"], [defaultRoute(passthroughCluster, origin, "allow_any")], origin);
  }
  const refuse = create(VirtualHostSchema, {
    name: "block_all",
    domains: ["*"],
    includeRequestAttemptCount: true,
    routes: [
      {
        name: "block_all",
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: { case: "directResponse", value: { status: 502 } },
      },
    ],
  });
  return trace(refuse, origin);
}

/** A gateway's port that no rule uses answers 404. */
export function blackHoleVirtualHost(rule: Rule<"Gateway">, port: number): VirtualHost {
  return virtualHost(`blackhole:${port}`, ["*"], [], fromRule(rule, "/spec/servers"));
}
