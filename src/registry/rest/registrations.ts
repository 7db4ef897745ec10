import type { Problem } from "../../base/decode.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { Health } from "../../model/instance.ts";
import type { Labels } from "../../model/labels.ts";
import type { Locality } from "../../model/locality.ts";
import type { ServicePort } from "../../model/port.ts";
import type { Reach } from "../service-checks.ts";
import type { RegistrationFormats } from "./format.ts";
import type { Draining, Stamp } from "./records.ts";

/** A registered service. */
export interface ServiceRegistration extends Reach {
  readonly host: Hostname;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  readonly external: boolean;
  readonly registered: Stamp;
  /** How many instances it has. */
  readonly instances: number;
}

/** A registered instance and how it stands. All times are milliseconds since the epoch. */
export interface InstanceRegistration {
  readonly id: string;
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly locality: Locality;
  readonly weight: number;
  /** As proxies are told. */
  readonly health: Health;
  readonly registered: Stamp;
  readonly generation?: number;
  readonly lease?: Lease;
  readonly draining?: Draining;
}

export interface Lease {
  readonly ttlMs: number;
  /** Without a heartbeat the instance is unhealthy from then on. */
  readonly expiresAt: number;
  /** Without a heartbeat the instance is removed then. */
  readonly removedAt: number;
  readonly state: "live" | "missed";
}

/** What a heartbeat found: the lease begins anew, the instance must be registered again, or a later generation of it is. */
export interface Heartbeat {
  readonly id: string;
  readonly state: "live" | "not-found" | "stale";
}

export type Result<T> = Done<T> | Refusal;

export interface Done<T> {
  readonly kind: "done";
  /** It was not there before. */
  readonly created: boolean;
  readonly value: T;
}

/** Nothing was changed. */
export type Refusal =
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] }
  | { readonly kind: "not-found"; readonly what: "service" | "instance" }
  | { readonly kind: "conflict"; readonly message: string; readonly hint: string }
  /** A later generation of this instance is registered. */
  | { readonly kind: "stale"; readonly id: string; readonly generation: number };

/**
 * Services and instances that register themselves. Bodies are plain data from outside. Writes resolve once they are on the disk and
 * in the catalog; when the database fails they reject with its `store/…` MeshError and nothing has changed.
 */
export interface Registrations {
  /** In the order of their hosts. */
  readonly services: () => readonly ServiceRegistration[];
  readonly service: (host: string) => ServiceRegistration | undefined;
  /** In the order of their ids; undefined when there is no such service. */
  readonly instances: (host: string) => readonly InstanceRegistration[] | undefined;
  readonly instance: (host: string, id: string) => InstanceRegistration | undefined;
  readonly putService: (host: string, body: unknown, by: string) => Promise<Result<ServiceRegistration>>;
  /** Gives what there was, undefined where it could not be read. Refused while it has instances, unless they shall go too (`cascade`). */
  readonly deleteService: (
    host: string,
    by: string,
    options?: { readonly cascade?: boolean },
  ) => Promise<Result<ServiceRegistration | undefined>>;
  readonly putInstance: (host: string, id: string, body: unknown, by: string) => Promise<Result<InstanceRegistration>>;
  /** All or none of them; those that are not named stay as they are. `created`: at least one is new. */
  readonly putInstances: (host: string, body: unknown, by: string) => Promise<Result<readonly InstanceRegistration[]>>;
  /** Renews a lease, in memory only. Not found: register again. */
  readonly heartbeat: (host: string, id: string, body: unknown) => Result<InstanceRegistration>;
  /** The same for many of a service; each is answered for itself. */
  readonly heartbeats: (host: string, body: unknown) => Result<readonly Heartbeat[]>;
  readonly drain: (host: string, id: string, body: unknown, by: string) => Promise<Result<InstanceRegistration>>;
  /** Gives what there was, undefined where it could not be read. */
  readonly deleteInstance: (host: string, id: string, by: string) => Promise<Result<InstanceRegistration | undefined>>;
  /** What the bodies and the parts of the path must look like. */
  readonly formats: RegistrationFormats;
}
