import type { Brand } from "../base/brand.ts";
import type { Hostname } from "./hostname.ts";
import type { ServicePort } from "./port.ts";

/** `namespace/hostname`: the same host name may exist in several namespaces. */
export type ServiceKey = Brand<string, "ServiceKey">;

/**
 * How a proxy finds the instances: `instances`: it is told each one; `dns`: it resolves the instances' host names and uses all
 * addresses; `dns-round-robin`: it uses one address at a time; `original-destination`: the client has chosen one by its address
 * already (a headless service, a ServiceEntry without resolution).
 */
export type Resolution = "instances" | "dns" | "dns-round-robin" | "original-destination";

/**
 * Which instances a client is to use: `same-node`: none but those on its own node; `prefer-same-node` and `prefer-same-zone`: the near
 * ones as long as there are healthy ones. Absent: all alike.
 */
export type Distribution = "same-node" | "prefer-same-node" | "prefer-same-zone";

/** What clients call. It has no instances inside, so that it keeps its identity while instances come and go. */
export interface Service {
  readonly key: ServiceKey;
  readonly hostname: Hostname;
  readonly namespace: string;
  /**
   * What clients dial: virtual IPs, IPv4 or IPv6, or networks (`10.1.0.0/16`) in which each address is an instance's. None: the service
   * has only names.
   */
  readonly addresses: readonly string[];
  /** None: it has no ports of its own (an alias), or it is headless and only its instances' names are of interest. */
  readonly ports: readonly ServicePort[];
  readonly resolution: Resolution;
  /** The host that this name stands for (a Kubernetes ExternalName). It has no ports and no instances of its own. */
  readonly aliasOf?: Hostname;
  /** The namespaces whose proxies may see it; absent: all, empty: none. */
  readonly visibleIn?: readonly string[];
  readonly distribution?: Distribution;
  /** How it is reached from outside its cluster: IP addresses and host names. Proxies of the mesh do not use them. */
  readonly externalAddresses?: readonly string[];
  /** By port name: the port on which every node of its cluster leads to it. */
  readonly nodePorts?: Readonly<Record<string, number>>;
  /** Outside the mesh: no sidecar there. */
  readonly external: boolean;
  /** Milliseconds since the epoch; 0 when unknown. */
  readonly createdAt: number;
  /** Who told us. */
  readonly origin: ServiceOrigin;
}

export type ServiceOrigin =
  | { readonly kind: "registry"; readonly registry: string }
  /** A ServiceEntry, by its rule key. */
  | { readonly kind: "rule"; readonly rule: string };

/**
 * Its clients dial the instances, which a registry knows. A ServiceEntry without resolution leaves the choice to them as well, but
 * nobody knows of what.
 */
export const isHeadless = ({ resolution, origin }: Service): boolean =>
  resolution === "original-destination" && origin.kind === "registry";

/** May proxies of a namespace see it? */
export const isVisibleIn = ({ visibleIn }: Service, namespace: string): boolean =>
  visibleIn === undefined || visibleIn.includes(namespace);

export function serviceKey(namespace: string, hostname: Hostname): ServiceKey {
  return `${namespace}/${hostname}` as ServiceKey;
}
