import { create, fromBinary } from "@bufbuild/protobuf";
import { listenerName, virtualInbound, virtualOutbound } from "../envoy/names.ts";
import { type Origin, trace } from "../envoy/provenance.ts";
import type { Resource, ResourceSet } from "../envoy/resource-set.ts";
import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../gen/envoy/config/route/v3/route_pb.ts";
import type { Aspects } from "./aspects.ts";
import { attempt, brokenListener, keep, type Report } from "./broken.ts";
import { serverBind } from "./gateway-listener.ts";
import { ingressBind } from "./ingress.ts";
import { fromRule, fromService } from "./origins.ts";
import { nameOf } from "./outbound-plan.ts";
import { compileRouteTable } from "./route-table.ts";
import { isCaptured } from "./sidecar-choice.ts";
import { portHosts } from "./virtual-hosts.ts";

/** Why a part of a route table could not be made, and who wanted it. */
interface Failure {
  readonly error: Error;
  readonly origin: Origin;
}

/**
 * The same aspects, for one compile: where one throws, only the listener or the virtual host that it was for is broken. Such a
 * virtual host answers 503, or as it did in the last good set.
 */
export function guardAspects(aspects: Aspects, report: Report): Aspects {
  /** Routes and virtual hosts that only mark the place of what could not be made. */
  const failures = new Map<Route | VirtualHost, Failure>();
  const failed = <T extends Route | VirtualHost>(mark: T, failure: Failure): T => {
    failures.set(mark, failure);
    return mark;
  };
  const failureOf = (host: VirtualHost): Failure | undefined =>
    [host, ...host.routes].map((part) => failures.get(part)).find((failure) => failure !== undefined);
  const reportListener = (name: string, error: Error): undefined => {
    report(brokenListener(name, error));
  };

  const serviceHost: Aspects["serviceVirtualHost"] = (service, port, ...rest) =>
    attempt(
      () => aspects.serviceVirtualHost(service, port, ...rest),
      (error) =>
        failed(hostAt(`${service.hostname}:${port.number}`, [service.hostname]), {
          error,
          origin: fromService(service),
        }),
    );

  return {
    ...aspects,
    routes: (rule, ...rest) =>
      attempt(
        () => aspects.routes(rule, ...rest),
        (error) => [failed(create(RouteSchema), { error, origin: fromRule(rule, "/spec") })],
      ),
    serviceVirtualHost: serviceHost,
    portHosts: (...args) =>
      attempt(
        () => aspects.portHosts(...args),
        () => portHosts(serviceHost, ...args),
      ),
    ownVirtualHost: (service, port, routes) =>
      attempt(
        () => aspects.ownVirtualHost(service, port, routes),
        (error) => failed(hostAt(`${service.hostname}:${port.number}`, ["*"]), { error, origin: fromService(service) }),
      ),
    hostVirtualHost: (rule, host, port, routes) =>
      attempt(
        () => aspects.hostVirtualHost(rule, host, port, routes),
        (error) => failed(hostAt(`${host}:${port}`, [host]), { error, origin: fromRule(rule, "/spec/hosts") }),
      ),
    routeTable: (name, hosts) => {
      const failure = failures.size === 0 ? undefined : hosts.map(failureOf).find((one) => one !== undefined);
      if (failure === undefined) {
        return attempt(
          () => aspects.routeTable(name, hosts),
          (error) => {
            const standIn = compileRouteTable(name, [
              unavailable(hostAt("*", ["*"]), { error, origin: repair(error) }),
            ]);
            report({ type: "RDS", name, error, standIn, rescue: keep({ type: "RDS", name }) });
            return standIn;
          },
        );
      }
      const tableWith = (lastHost: (name: string) => VirtualHost | undefined): Resource =>
        compileRouteTable(
          name,
          hosts.map((host) => standInFor(host, failureOf(host), lastHost)),
        );
      const standIn = tableWith(() => undefined);
      const rescue = (lastGood: ResourceSet): readonly Resource[] =>
        keep({ type: "RDS", name })(lastGood).map((last) => {
          const lastHosts = new Map(virtualHostsOf(last).map((host) => [host.name, host]));
          return tableWith((host) => lastHosts.get(host));
        });
      report({ type: "RDS", name, error: failure.error, standIn, rescue });
      return standIn;
    },
    outboundListener: (listener, ...rest) =>
      attempt(
        () => aspects.outboundListener(listener, ...rest),
        (error) => reportListener(nameOf(listener), error),
      ),
    virtualOutbound: (settings) =>
      attempt(
        () => aspects.virtualOutbound(settings),
        (error) => reportListener(virtualOutbound, error),
      ),
    virtualInbound: (settings, ports) =>
      attempt(
        () => aspects.virtualInbound(settings, ports),
        (error) => reportListener(virtualInbound, error),
      ),
    ingress: (rule, settings, index, address) =>
      attempt(
        () => aspects.ingress(rule, settings, index, address),
        (error) => {
          const ingress = rule.spec.ingress[index];
          if (ingress !== undefined && !isCaptured(ingress, settings.interception)) {
            reportListener(listenerName(ingressBind(ingress, address), ingress.port.number), error);
          }
          return [];
        },
      ),
    gatewayListener: (rule, index) =>
      attempt(
        () => aspects.gatewayListener(rule, index),
        (error) => {
          const server = rule.spec.servers[index];
          if (server !== undefined) reportListener(listenerName(serverBind(server), server.port.number), error);
          return undefined;
        },
      ),
  };
}

const hostAt = (name: string, domains: string[]): VirtualHost => create(VirtualHostSchema, { name, domains });

const repair = ({ message }: Error): Origin => ({ kind: "repair", reason: message });

const virtualHostsOf = ({ bytes }: Resource): readonly VirtualHost[] =>
  fromBinary(RouteConfigurationSchema, bytes).virtualHosts;

/** The virtual host itself where nothing failed; else as it was, where it was; else one that answers 503. */
function standInFor(
  host: VirtualHost,
  failure: Failure | undefined,
  lastHost: (name: string) => VirtualHost | undefined,
): VirtualHost {
  if (failure === undefined) return host;
  const last = lastHost(host.name);
  return last === undefined ? unavailable(host, failure) : trace(last, [failure.origin, repair(failure.error)]);
}

function unavailable({ name, domains }: VirtualHost, { error, origin }: Failure): VirtualHost {
  const host = create(VirtualHostSchema, {
    name,
    domains,
    routes: [
      {
        name: "unavailable",
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        action: { case: "directResponse", value: { status: 503 } },
      },
    ],
  });
  return trace(host, [origin, repair(error)]);
}
