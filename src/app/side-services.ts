import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import type { World } from "../compile/world.ts";
import type { Ledger } from "../delivery/ledger.ts";
import { createLoadReports, type LoadReports } from "../delivery/load-reports.ts";
import { resourceTypes } from "../envoy/resource-types.ts";
import { LoadReportingService } from "../gen/envoy/service/load_stats/v3/lrs_pb.ts";
import { ClientStatusDiscoveryService } from "../gen/envoy/service/status/v3/csds_pb.ts";
import type { ResourceCache } from "../snapshot/resource-cache.ts";
import { createCsds } from "../xds/services/csds.ts";
import { createHds } from "../xds/services/hds.ts";
import { createHealth } from "../xds/services/health.ts";
import { createLrs } from "../xds/services/lrs.ts";
import type { ServedService } from "../xds/services/served-service.ts";
import { createSideMetrics } from "../xds/services/side-metrics.ts";
import { createClientStatuses } from "./client-statuses.ts";

export interface SideServicesInput {
  readonly ledger: Ledger;
  readonly resources: Pick<ResourceCache, "servedTo">;
  readonly world: Signal<World | undefined>;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Log;
  /** How often clients report their load, in ms; default 10 000. */
  readonly lrsIntervalMs?: number;
}

export interface SideServices {
  /** For the xDS server. */
  readonly services: readonly ServedService[];
  readonly loadReports: LoadReports;
  readonly close: () => void;
}

/** The services beside discovery, joined with those who know what they tell, and take what they are told. */
export function createSideServices(input: SideServicesInput): SideServices {
  const { ledger, resources, world, clock, log, lrsIntervalMs } = input;
  const ports = { clock, log, metrics: createSideMetrics(input.metrics) };

  const loadReports = createLoadReports({
    clock,
    metrics: input.metrics,
    knownTo: (proxyId) => {
      const receipts = ledger.receiptsOf(proxyId);
      return (cluster) => receipts?.receipt("CDS", cluster) !== undefined;
    },
  });
  const clustersOf = (proxyId: string): readonly string[] =>
    (ledger.resourcesOf(proxyId) ?? []).filter(({ type }) => type === "CDS").map(({ name }) => name);

  const ready = createSignal(world.value !== undefined);
  const unsubscribe = world.subscribe((next) => ready.set(next !== undefined));

  return {
    services: [
      createCsds({ ...ports, statuses: createClientStatuses(ledger, resources) }),
      createLrs({
        ...ports,
        recorder: { clustersOf, reported: loadReports.reported },
        ...(lrsIntervalMs !== undefined && { intervalMs: lrsIntervalMs }),
      }),
      createHealth({ ...ports, ready, services: serviceNames }),
      createHds(),
    ],
    loadReports,
    close: unsubscribe,
  };
}

const serviceNames: readonly string[] = [
  "envoy.service.discovery.v3.AggregatedDiscoveryService",
  ...resourceTypes.map(({ service }) => service.path.slice(1)),
  ClientStatusDiscoveryService.typeName,
  LoadReportingService.typeName,
];
