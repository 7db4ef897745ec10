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
  readonly ports: readonly ServicePort[];
  readonly resolution: Resolution;
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

export function serviceKey(namespace: string, hostname: Hostname): ServiceKey {
  return `${namespace}/${hostname}` as ServiceKey;
}
