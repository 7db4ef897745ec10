import { memoize } from "../base/memo.ts";
import { expandShortName, type Hostname, isWildcard, parseHostname } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isSingle, parseNetwork } from "../model/network.ts";
import type { Service } from "../model/service.ts";

/** A host of a rule in `namespace` as a full name; undefined when it cannot be one (decoding has refused such rules). */
export function expandHost(host: string, namespace: string, mesh: MeshSettings): Hostname | undefined {
  return parseHostname(expandShortName(host, namespace, mesh.domain));
}

/**
 * The names that a sidecar in `dnsDomain` may call a service by: its host name, the same with a trailing dot, and the short
 * forms that the workload's resolver would complete. In another namespace of the cluster the bare service name is not among them.
 */
export function callableNames({ hostname }: Service, dnsDomain: string): readonly string[] {
  const shared = sharedSuffix(hostname, dnsDomain);
  return [hostname, `${hostname}.`, ...shared];
}

/**
 * The same and what else may stand in a Host header of captured calls: the addresses that clients dial, and the names of single
 * instances of a headless service.
 */
export function captureNames(service: Service, dnsDomain: string): readonly string[] {
  const names = callableNames(service, dnsDomain);
  const isHeadless = service.resolution === "original-destination" && service.origin.kind === "registry";
  return [
    ...names,
    ...service.addresses.flatMap((address) => addressName(address) ?? []),
    ...(isHeadless && !isWildcard(service.hostname) ? names.map((name) => `*.${name}`) : []),
  ];
}

/** A network has no name. */
function addressName(text: string): string | undefined {
  const network = parseNetwork(text);
  if (network === undefined || !isSingle(network)) return undefined;
  return network.address.includes(":") ? `[${network.address}]` : network.address;
}

/**
 * A DNS domain, with the namespace left out where it does not matter for a service's names: all other namespaces see a service
 * alike, and so share its virtual host.
 */
export function domainFor(service: Service, dnsDomain: string): string {
  const dot = dnsDomain.indexOf(".");
  const isOwn = namespaceLabel(service) === (dot < 0 ? dnsDomain : dnsDomain.slice(0, dot));
  return isOwn ? dnsDomain : `-${dot < 0 ? "" : dnsDomain.slice(dot)}`;
}

/** The second label of its host name. */
const namespaceLabel = memoize(({ hostname }: Service): string => hostname.split(".")[1] ?? "");

/** `reviews.shop.svc.cluster.local` seen from `shop.svc.cluster.local`: `reviews`, `reviews.shop`, `reviews.shop.svc`. */
function sharedSuffix(hostname: Hostname, dnsDomain: string): readonly string[] {
  const host = hostname.split(".");
  const own = dnsDomain.split(".");
  // Only <service>.<namespace>.svc.<domain> has short forms, and only for workloads of the same cluster domain.
  if (host[2] !== "svc" || own[1] !== "svc" || host.slice(3).join(".") !== own.slice(2).join(".")) return [];
  const [name = "", namespace = ""] = host;
  const bare = namespace === own[0] ? [name] : [];
  return [...bare, `${name}.${namespace}`, `${name}.${namespace}.svc`];
}
