import type { Rule } from "../config/rule.ts";
import type { Route } from "../gen/envoy/config/route/v3/route_components_pb.ts";
import type { Hostname } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import type { Service } from "../model/service.ts";
import { expandHost } from "./hosts.ts";
import type { routesOf } from "./routes.ts";

/** A VirtualService with its names resolved. */
export interface BoundVirtualService {
  readonly rule: Rule<"VirtualService">;
  /** Full names, in the order of the document. */
  readonly hosts: readonly Hostname[];
  /** `mesh`, or `namespace/name` of a Gateway. */
  readonly gateways: readonly string[];
  /** Where it sends to: one for each destination of each route, in the order of the document. */
  readonly destinations: readonly BoundDestination[];
}

export interface BoundDestination {
  /** Full name; undefined where the text is none. */
  readonly host: Hostname | undefined;
  /** The port, where the destination names one. */
  readonly port: number | undefined;
}

export function bindVirtualService(rule: Rule<"VirtualService">, mesh: MeshSettings): BoundVirtualService {
  const full = (host: string): Hostname | undefined => expandHost(host, rule.namespace, mesh);
  return {
    rule,
    hosts: rule.spec.hosts.map(full).filter((host) => host !== undefined),
    gateways: rule.spec.gateways.map((gateway) => gatewayReference(gateway, rule.namespace)),
    destinations: rule.spec.http.flatMap(({ route }) => route.map(({ host, port }) => ({ host: full(host), port }))),
  };
}

/** `name`, `./name`, `namespace/name` and the old form `name.namespace.svc.domain`, as `namespace/name`. */
export function gatewayReference(text: string, namespace: string): string {
  if (text === "mesh") return text;
  const [first = "", second] = text.split("/");
  if (second !== undefined) return `${first === "." ? namespace : first}/${second}`;
  const [name = "", oldNamespace] = first.split(".");
  return oldNamespace === undefined ? `${namespace}/${name}` : `${oldNamespace}/${name}`;
}

/** The routes of a VirtualService where requests come in by `listenerPort`. */
export function routesFor(
  { rule, destinations }: BoundVirtualService,
  { mesh, findService }: { readonly mesh: MeshSettings; readonly findService: (host: Hostname) => Service | undefined },
  listenerPort: number,
  routes: typeof routesOf,
): readonly Route[] {
  const services = destinations.map(({ host }) => (host === undefined ? undefined : findService(host)));
  return routes(rule, mesh, listenerPort, ...services);
}
