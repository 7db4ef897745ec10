/* Services and instances, as registries report them and as they register themselves. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

export interface ServiceView {
  readonly host: string;
  readonly namespace: string;
  /** What clients dial: IP addresses and networks; empty where it has only names. */
  readonly addresses: readonly string[];
  readonly ports: readonly PortView[];
  readonly resolution: "instances" | "dns" | "dns-round-robin" | "original-destination";
  readonly external: boolean;
  readonly origin: OriginView;
  readonly instances: readonly InstanceView[];
}

export interface PortView {
  readonly name: string;
  readonly number: number;
  /** Lower case: `http`, `grpc-web`, `auto`, … */
  readonly protocol: string;
}

/** Who told us of a service. */
export type OriginView =
  | { readonly kind: "registry"; readonly registry: string }
  /** A ServiceEntry, as `Kind/namespace/name`. */
  | { readonly kind: "rule"; readonly rule: string };

export interface InstanceView {
  readonly id: string;
  readonly address: string;
  /** Port name to number, where it differs from the service's. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  readonly weight: number;
  readonly health: "healthy" | "unhealthy" | "draining";
  readonly registry: string;
}

/** A service that registered itself. */
export interface RegisteredServiceView {
  readonly host: string;
  readonly namespace: string;
  /** What clients dial: IP addresses and networks; empty where it has only names. */
  readonly addresses: readonly string[];
  /** Clients dial the instances. */
  readonly headless: boolean;
  readonly ports: readonly PortView[];
  readonly external: boolean;
  readonly registeredAt: string;
  readonly registeredBy: string;
}

export interface RegisteredInstanceView extends Omit<InstanceView, "registry"> {
  readonly registeredAt: string;
  readonly registeredBy: string;
  readonly generation: number;
  readonly lease?: LeaseView;
  readonly draining?: { readonly since: string; readonly until: string };
}

/** What a heartbeat found; `not-found`: register it again, `stale`: a later generation of it is registered. */
export interface HeartbeatView {
  readonly id: string;
  readonly state: "live" | "not-found" | "stale";
}

export interface LeaseView {
  /** Milliseconds. */
  readonly ttlMs: number;
  readonly expiresAt: string;
  /** `missed`: no heartbeat for a whole period; it gets no traffic and is removed after three. */
  readonly state: "live" | "missed";
}
