import { memoize } from "../base/memo.ts";
import type { Rule } from "../config/rule.ts";
import type { Origin } from "../envoy/provenance.ts";
import { type Hostname, hostsOverlap, isWithin, parseHostname } from "../model/hostname.ts";
import { isProxied, proxiedPort, type ServicePort } from "../model/port.ts";
import type { InterceptionMode } from "../model/proxy.ts";
import type { Service } from "../model/service.ts";
import { type NamedService, withKnownAliases } from "./aliases.ts";
import { fromRule, fromSetting } from "./origins.ts";
import { isCaptured } from "./sidecar-choice.ts";
import type { BoundVirtualService } from "./virtual-service.ts";

/** One port of a service that a proxy may call. */
export interface Reachable {
  readonly service: NamedService;
  readonly port: ServicePort;
}

/** The same object for the same service and port. */
export const reachable = memoize((service: NamedService, port: ServicePort): Reachable => ({ service, port }));

/** One way out for an application: an egress listener of its Sidecar rule, or the one of a sidecar that no rule speaks of. */
export interface EgressScope {
  readonly origin: Origin;
  /** Undefined: all ports that no other scope has. */
  readonly port: number | undefined;
  /** The address of its listener, where the rule gives one. */
  readonly bind: string | undefined;
  /** Connections are captured on their way; else the application dials the sidecar. */
  readonly captured: boolean;
  /** Ports of services that it lets through; in the order of their host names. */
  readonly services: readonly Reachable[];
  /** Rules that it imports, oldest first. */
  readonly virtualServices: readonly BoundVirtualService[];
}

/** One `namespace/host` of an egress listener. */
interface Import {
  readonly covers: (namespace: string) => boolean;
  readonly host: Hostname;
}

/**
 * The scopes of a Sidecar rule as a workload of `namespace` sees them. An egress listener with a port serves the services
 * that have this port; a VirtualService is imported where its namespace and one of its hosts fit. `services` are those of
 * each host name, in the order in which they win.
 */
export function egressScopes(
  rule: Rule<"Sidecar">,
  { namespace, interception }: Workload,
  services: readonly (readonly NamedService[])[],
  virtualServices: readonly BoundVirtualService[],
): readonly EgressScope[] {
  return rule.spec.egress.map((listener, index) => {
    const imports = listener.hosts.flatMap((text) => parseImport(text, namespace));
    const number = listener.port?.number;
    const isKnown = (service: Service): boolean => imports.some((one) => isServiceImported(service, one));
    const portsOf = (service: NamedService) =>
      number === undefined ? everyPort(service) : reachableAt(service, number);
    return {
      origin: egressOrigin(rule, index),
      port: number,
      bind: listener.bind,
      captured: isCaptured(listener, interception),
      services: services.flatMap((candidates) => {
        const imported = candidates.filter(isKnown).map((service) => withKnownAliases(service, isKnown));
        const [found = []] = imported.map(portsOf).filter((ports) => ports.length > 0);
        return found;
      }),
      virtualServices: virtualServices.filter((one) => isImported(one, imports)),
    };
  });
}

interface Workload {
  readonly namespace: string;
  readonly interception: InterceptionMode;
}

/** One object for one place, so that what is made of it is made once. */
const egressOrigin = memoize((rule: Rule<"Sidecar">, index: number): Origin => fromRule(rule, `/spec/egress/${index}`));

const noRule = fromSetting("default sidecar");

/** The scope of a sidecar whose rule, if it has one, says nothing of egress: it sees the whole mesh. */
export const wholeMesh = (
  interception: InterceptionMode,
  services: readonly Reachable[],
  virtualServices: readonly BoundVirtualService[],
): EgressScope => ({
  origin: noRule,
  port: undefined,
  bind: undefined,
  captured: interception !== "none",
  services,
  virtualServices,
});

/** Whether any of the egress listeners imports a service, as a workload of `namespace` sees it. */
export function importsService({ spec }: Rule<"Sidecar">, namespace: string): (service: Service) => boolean {
  const imports = spec.egress.flatMap(({ hosts }) => hosts).flatMap((text) => parseImport(text, namespace));
  return (service) => imports.some((one) => isServiceImported(service, one));
}

/** What any of the egress listeners imports. */
export function importedVirtualServices(
  { spec }: Rule<"Sidecar">,
  namespace: string,
  virtualServices: readonly BoundVirtualService[],
): readonly BoundVirtualService[] {
  const imports = spec.egress.flatMap(({ hosts }) => hosts).flatMap((text) => parseImport(text, namespace));
  return virtualServices.filter((one) => isImported(one, imports));
}

const isServiceImported = ({ namespace, hostname }: Service, { covers, host }: Import): boolean =>
  covers(namespace) && isWithin(hostname, host);

const isImported = ({ rule: { namespace }, hosts }: BoundVirtualService, imports: readonly Import[]): boolean =>
  imports.some(({ covers, host }) => covers(namespace) && hosts.some((own) => hostsOverlap(own, host)));

/** UDP is not proxied. */
export function everyPort(service: NamedService): readonly Reachable[] {
  return service.ports.filter(({ protocol }) => isProxied(protocol)).map((port) => reachable(service, port));
}

function reachableAt(service: NamedService, portNumber: number): readonly Reachable[] {
  const port = proxiedPort(service.ports, portNumber);
  return port === undefined ? [] : [reachable(service, port)];
}

function parseImport(text: string, own: string): readonly Import[] {
  const [namespace = "", hostText = ""] = text.split("/");
  const host = parseHostname(hostText);
  if (host === undefined || namespace === "~") return [];
  const wanted = namespace === "." ? own : namespace;
  return [{ covers: (home) => wanted === "*" || wanted === home, host }];
}
