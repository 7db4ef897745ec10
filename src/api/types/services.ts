/* Services and instances, as registries report them and as they register themselves. Types of the API's JSON: times are RFC 3339 in UTC; a field that is not known is absent, never null. */

export interface ServiceView {
  readonly host: string;
  readonly namespace: string;
  /** What clients dial: IP addresses and networks; empty where it has only names. */
  readonly addresses: readonly string[];
  readonly ports: readonly PortView[];
  readonly resolution: "instances" | "dns" | "dns-round-robin" | "original-destination";
  /** The host that this name stands for; that service answers to it. */
  readonly aliasOf?: string;
  /** The namespaces whose proxies may see it; absent: all, empty: none. */
  readonly visibleIn?: readonly string[];
  /** Which instances clients are to use; absent: all alike. */
  readonly distribution?: "same-node" | "prefer-same-node" | "prefer-same-zone";
  /** How it is reached from outside its cluster: IP addresses and host names. */
  readonly externalAddresses?: readonly string[];
  /** By port name: the port on which every node of its cluster leads to it. */
  readonly nodePorts?: Readonly<Record<string, number>>;
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

/** What is said of every instance. */
interface InstanceFields {
  readonly id: string;
  readonly address: string;
  /** Port name to number, where it differs from the service's. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`; empty when unknown. */
  readonly locality: string;
  readonly weight: number;
  readonly health: "healthy" | "unhealthy" | "draining";
}

export interface InstanceView extends InstanceFields {
  /** Where this very copy listens too: its addresses of the other IP family. */
  readonly otherAddresses?: readonly string[];
  /** Names of the service's ports that it does not listen on. */
  readonly lacks?: readonly string[];
  /** The node that it runs on. */
  readonly node?: string;
  readonly serviceAccount?: string;
  /** The network that it can be reached in directly; absent: that of everybody. */
  readonly network?: string;
  /** Its own name in front of the host of a headless service. */
  readonly hostname?: string;
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

export interface RegisteredInstanceView extends InstanceFields {
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
