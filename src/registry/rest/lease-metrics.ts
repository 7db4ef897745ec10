import type { Metrics } from "../../base/metrics.ts";

export type LeaseEvent = "missed" | "healed" | "expired" | "drained";
export type HeartbeatOutcome = "renewed" | "not-found" | "stale";

/** Counts what happens to leases. */
export interface LeaseMetrics {
  readonly count: (event: LeaseEvent, instances: number) => void;
  readonly heartbeat: (outcome: HeartbeatOutcome) => void;
}

export function createLeaseMetrics(metrics: Metrics): LeaseMetrics {
  const events = metrics.counter("fairway_lease_events_total", "Registered instances whose state time changed.", [
    "event",
  ]);
  const heartbeats = metrics.counter("fairway_lease_heartbeats_total", "Heartbeats of registered instances.", [
    "outcome",
  ]);
  return {
    count: (event, instances) => events.inc({ event }, instances),
    heartbeat: (outcome) => heartbeats.inc({ outcome }),
  };
}
