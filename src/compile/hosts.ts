import { memoize } from "../base/memo.ts";
import { expandShortName, type Hostname, isWildcard, parseHostname } from "../model/hostname.ts";
import type { MeshSettings } from "../model/mesh-settings.ts";
import { isSingle, parseNetwork } from "../model/network.ts";
import { isHeadless } from "../model/service.ts";
import type { NamedService } from "./aliases.ts";

/** A host of a rule in `namespace` as a full name; undefined when it cannot be one (decoding has refused such rules). */
export function expandHost(host: string, namespace: string, mesh: MeshSettings): Hostname | undefined {
  return parseHostname(expandShortName(host, namespace, mesh.domain));
}

/**
 * The names that a sidecar in `dnsDomain` may call a service by: its host name, the same with a trailing dot, and the short
 * forms that the workload's resolver would complete; then those of its aliases. In another namespace of the cluster the bare service name
 * is not among them.
 */
export const callableNames = ({ hostname, aliases = [] }: NamedService, dnsDomain: string): readonly string[] =>
  [hostname, ...aliases.map((alias) => alias.hostname)].flatMap((name) => formsOf(name, dnsDomain));

const formsOf = (hostname: Hostname, dnsDomain: string): readonly string[] => [
  hostname,
  `${hostname}.`,
  ...sharedSuffix(hostname, dnsDomain),
];

/**
 * The same and what else may stand in a Host header of captured calls: the addresses that clients dial, and the names of single
 * instances of a headless service.
 */
export function captureNames(service: NamedService, dnsDomain: string): readonly string[] {
  const { hostname, addresses } = service;
  return [
    ...callableNames(service, dnsDomain),
    ...addresses.flatMap((address) => addressName(address) ?? []),
    // An alias stands for the service, not for its instances.
    ...(isHeadless(service) && !isWildcard(hostname) ? formsOf(hostname, dnsDomain).map((name) => `*.${name}`) : []),
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
export const domainFor = (service: NamedService, dnsDomain: string): string =>
  labelsOf(service).includes(ownLabel(dnsDomain)) ? dnsDomain : elsewhere(dnsDomain);

/** The same for many at once: where none of them is of the domain's namespace, all other namespaces see them alike. */
export const domainForAll = (services: readonly { readonly service: NamedService }[], dnsDomain: string): string =>
  namespaceLabels(services).has(ownLabel(dnsDomain)) ? dnsDomain : elsewhere(dnsDomain);

const ownLabel = (dnsDomain: string): string => dnsDomain.replace(/\..*/s, "");

/** No namespace is called so. */
const elsewhere = (dnsDomain: string): string => dnsDomain.replace(/^[^.]*/, "-");

/** The second labels of its host name and of its aliases'. */
const labelsOf = memoize(({ hostname, aliases = [] }: NamedService): readonly string[] =>
  [hostname, ...aliases.map((alias) => alias.hostname)].map((name) => name.split(".")[1] ?? ""),
);

const namespaceLabels = memoize(
  (services: readonly { readonly service: NamedService }[]) =>
    new Set(services.flatMap(({ service }) => labelsOf(service))),
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
