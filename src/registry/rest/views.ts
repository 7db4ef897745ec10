import {
  healthOf,
  type InstanceRecord,
  type LeaseState,
  type Moment,
  periodsUntilRemoval,
  type ServiceRecord,
} from "./records.ts";
import type { InstanceRegistration, Lease, ServiceRegistration } from "./registrations.ts";

export const serviceView = (record: ServiceRecord, instances: number): ServiceRegistration => ({
  ...record,
  instances,
});

export function instanceView(record: InstanceRecord, lease: LeaseState, at: Moment): InstanceRegistration {
  const { ttlMs, ...rest } = record;
  return {
    ...rest,
    health: healthOf(record, lease.missed),
    ...(ttlMs !== undefined && { lease: leaseView(ttlMs, lease, at) }),
  };
}

function leaseView(ttlMs: number, { renewedAtMs, missed }: LeaseState, { now, monotonic }: Moment): Lease {
  const renewedAt = Math.round(now - (monotonic - renewedAtMs));
  return {
    ttlMs,
    expiresAt: renewedAt + ttlMs,
    removedAt: renewedAt + periodsUntilRemoval * ttlMs,
    state: missed ? "missed" : "live",
  };
}
