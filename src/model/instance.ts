import type { Labels } from "./labels.ts";
import type { Locality } from "./locality.ts";
import type { ServicePort } from "./port.ts";

/** `draining` takes no new connections but keeps its old ones; `unhealthy` takes none. */
export type Health = "healthy" | "unhealthy" | "draining";

/** One running copy of a service, as a registry reports it. */
export interface Instance {
  /** Unique within its service and registry; stable while the copy runs. */
  readonly id: string;
  /** An IPv4 or IPv6 address; a host name only for services that are resolved by DNS. */
  readonly address: string;
  /** Where this very copy listens too, on the same ports: its addresses of the other IP family. */
  readonly otherAddresses?: readonly string[];
  /** Port name of the service to the number that this copy listens on; what is missing listens on the service's number. */
  readonly ports: Readonly<Record<string, number>>;
  /** Names of the service's ports that this copy does not listen on at all. */
  readonly lacks?: readonly string[];
  readonly labels: Labels;
  readonly locality: Locality;
  /** Share of the traffic among its peers, 1 to 2^32-1; 0 takes it out. */
  readonly weight: number;
  readonly health: Health;
  /** The name of the registry that reported it. */
  readonly registry: string;
  /** The node that it runs on. */
  readonly node?: string;
  /** The identity that its platform gave it. */
  readonly serviceAccount?: string;
  /** The network that it can be reached in directly; absent: that of everybody. */
  readonly network?: string;
  /** Its own name in front of the host of a headless service, for example `web-0`. */
  readonly hostname?: string;
}

/** Everywhere that it listens; the first address is its own one. */
export const addressesOf = ({ address, otherAddresses }: Instance): readonly string[] =>
  otherAddresses === undefined ? [address] : [address, ...otherAddresses];

/** Does it listen on this port of its service at all? */
export const listensOn = ({ lacks }: Instance, { name }: ServicePort): boolean =>
  lacks === undefined || !lacks.includes(name);
