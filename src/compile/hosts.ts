import { memoize } from "../base/memo.ts";
import { expandShortName, type Hostname, isWildcard, parseHostname } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isSingle, parseNetwork } from "../model/network.ts";
import { isHeadless, type Service } from "../model/service.ts";

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
  return [
    ...names,
    ...service.addresses.flatMap((address) => addressName(address) ?? []),
    ...(isHeadless(service) && !isWildcard(service.hostname) ? names.map((name) => `*.${name}`) : []),
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
export const domainFor = (service: Service, dnsDomain: string): string =>
  namespaceLabel(service) === ownLabel(dnsDomain) ? dnsDomain : elsewhere(dnsDomain);

/** The same for many at once: where none of them is of the domain's namespace, all other namespaces see them alike. */
export const domainForAll = (services: readonly { readonly service: Service }[], dnsDomain: string): string =>
  namespaceLabels(services).has(ownLabel(dnsDomain)) ? dnsDomain : elsewhere(dnsDomain);

const ownLabel = (dnsDomain: string): string => dnsDomain.replace(/\..*/s, "");

/** No namespace is called so. */
const elsewhere = (dnsDomain: string): string => dnsDomain.replace(/^[^.]*/, "-");

/** The second label of its host name. */
const namespaceLabel = memoize(({ hostname }: Service): string => hostname.split(".")[1] ?? "");

const namespaceLabels = memoize(
  (services: readonly { readonly service: Service }[]) =>
    new Set(services.map(({ service }) => namespaceLabel(service))),
);

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
