import { memoize } from "../base/memo.ts";
import type { EgressListener } from "../config/kinds/sidecar.ts";
import type { Rule } from "../config/rule.ts";
import { type Hostname, hostsOverlap, isWithin, parseHostname } from "../model/hostname.ts";
import type { ServicePort } from "../model/port.ts";
import type { Service } from "../model/service.ts";
import type { BoundVirtualService } from "./virtual-service.ts";

/** One port of a service that a proxy may call. */
export interface Reachable {
  readonly service: Service;
  readonly port: ServicePort;
}

/** The same object for the same service and port. */
export const reachable = memoize((service: Service, port: ServicePort): Reachable => ({ service, port }));

/** What one egress listener of a Sidecar rule lets through. */
export interface EgressScope {
  readonly rule: Rule<"Sidecar">;
  /** Its index in the rule. */
  readonly index: number;
  readonly listener: EgressListener;
  /** Services that it imports and that have its port; in the order of their host names. */
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
  namespace: string,
  services: readonly (readonly Service[])[],
  virtualServices: readonly BoundVirtualService[],
): readonly EgressScope[] {
  return rule.spec.egress.map((listener, index) => {
    const imports = listener.hosts.flatMap((text) => parseImport(text, namespace));
    return {
      rule,
      index,
      listener,
      services: services.flatMap((candidates) => {
        const imported = candidates.filter((service) => imports.some((one) => isServiceImported(service, one)));
        return imported.flatMap((service) => reachableAt(service, listener.port?.number ?? 0)).slice(0, 1);
      }),
      virtualServices: virtualServices.filter((one) => isImported(one, imports)),
    };
  });
}

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
function reachableAt(service: Service, portNumber: number): readonly Reachable[] {
  const port = service.ports.find(({ number }) => number === portNumber);
  return port === undefined || port.protocol === "udp" ? [] : [reachable(service, port)];
}

function parseImport(text: string, own: string): readonly Import[] {
  const [namespace = "", hostText = ""] = text.split("/");
  const host = parseHostname(hostText);
  if (host === undefined || namespace === "~") return [];
  const wanted = namespace === "." ? own : namespace;
  return [{ covers: (home) => wanted === "*" || wanted === home, host }];
}
