import type { Clock } from "../../base/clock.ts";
import type { Hostname } from "../../model/hostname.ts";
import type { Health, Instance } from "../../model/instance.ts";
import type { Labels } from "../../model/labels.ts";
import type { Locality } from "../../model/locality.ts";
import type { ServicePort } from "../../model/port.ts";
import type { Reach } from "../service-checks.ts";

/** Who registered something first, and when. */
export interface Stamp {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly by: string;
}

/** A service as it is registered; what a restart must bring back. */
export interface ServiceRecord extends Reach {
  readonly host: Hostname;
  readonly namespace: string;
  readonly ports: readonly ServicePort[];
  readonly external: boolean;
  readonly registered: Stamp;
}

/** An instance as it is registered; what a restart must bring back. Whether its heartbeats come is not part of it. */
export interface InstanceRecord {
  readonly id: string;
  readonly address: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: Labels;
  readonly locality: Locality;
  readonly weight: number;
  /** As it was told; a missed lease and a drain come on top. */
  readonly health: Health;
  /** The period of its lease; absent: it stays until it is deleted. */
  readonly ttlMs?: number;
  readonly generation?: number;
  readonly registered: Stamp;
  readonly draining?: Draining;
}

/** Milliseconds since the epoch. */
export interface Draining {
  readonly since: number;
  /** When it is removed. */
  readonly until: number;
}

/** The present, in milliseconds: the time of day, which may be set, and the one that leases are measured by. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export const momentOf = (clock: Clock): Moment => ({ now: clock.now(), monotonic: clock.monotonic() });

/** Of a lease: when it was last renewed, on the monotonic clock, and whether a whole period has passed since. */
export interface LeaseState {
  readonly renewedAtMs: number;
  readonly missed: boolean;
}

/** An instance whose heartbeats stay away for so many periods is removed; after the first one it is unhealthy. */
export const periodsUntilRemoval = 3;

/** What proxies are told: no heartbeat weighs more than a drain, a drain more than what was registered. */
export function healthOf({ health, draining }: InstanceRecord, missed: boolean): Health {
  if (missed) return "unhealthy";
  return draining === undefined ? health : "draining";
}

/** The instance as the catalog has it. */
export function instanceOf(record: InstanceRecord, missed: boolean, registry: string): Instance {
  const { id, address, ports, labels, locality, weight } = record;
  return { id, address, ports, labels, locality, weight, health: healthOf(record, missed), registry };
}
