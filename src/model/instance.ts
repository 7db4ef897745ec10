import type { Labels } from "./labels.ts";
import type { Locality } from "./locality.ts";

/** `draining` takes no new connections but keeps its old ones; `unhealthy` takes none. */
export type Health = "healthy" | "unhealthy" | "draining";

/** One running copy of a service, as a registry reports it. */
export interface Instance {
  /** Unique within its service and registry; stable while the copy runs. */
  readonly id: string;
  /** An IPv4 or IPv6 address; a host name only for services that are resolved by DNS. */
  readonly address: string;
  /** Port name of the service to the number that this copy listens on; what is missing listens on the service's number. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly locality: Locality;
  /** Share of the traffic among its peers, 1 to 2^32-1; 0 takes it out. */
  readonly weight: number;
  readonly health: Health;
  /** The name of the registry that reported it. */
  readonly registry: string;
}
