import type { Metrics } from "../../base/metrics.ts";

/** What the services beside discovery count. */
export interface SideMetrics {
  readonly opened: (service: string) => void;
  readonly closed: (service: string) => void;
  /** A call was ended by us with another status than OK. */
  readonly refused: (service: string, status: string) => void;
}

export function createSideMetrics(metrics: Metrics): SideMetrics {
  const calls = metrics.gauge("fairway_side_calls", "Open calls of the services beside discovery.", ["service"]);
  const refusals = metrics.counter(
    "fairway_side_refusals_total",
    "Calls of the services beside discovery that were ended with an error.",
    ["service", "status"],
  );
  return {
    opened: (service) => calls.inc({ service }),
    closed: (service) => calls.dec({ service }),
    refused: (service, status) => refusals.inc({ service, status }),
  };
}
