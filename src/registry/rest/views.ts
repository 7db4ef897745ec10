import { healthOf, type InstanceRecord, type LeaseState, periodsUntilRemoval, type ServiceRecord } from "./records.ts";
import type { InstanceRegistration, Lease, ServiceRegistration } from "./registrations.ts";

export const serviceView = (record: ServiceRecord, instances: number): ServiceRegistration => ({
  ...record,
  instances,
});

export function instanceView(record: InstanceRecord, lease: LeaseState): InstanceRegistration {
  const { ttlMs, ...rest } = record;
  return {
    ...rest,
    health: healthOf(record, lease.missed),
    ...(ttlMs !== undefined && { lease: leaseView(ttlMs, lease) }),
  };
}

const leaseView = (ttlMs: number, { renewedAtMs, missed }: LeaseState): Lease => ({
  ttlMs,
  expiresAt: renewedAtMs + ttlMs,
  removedAt: renewedAtMs + periodsUntilRemoval * ttlMs,
  state: missed ? "missed" : "live",
});
