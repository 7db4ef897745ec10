import type { Clock } from "../base/clock.ts";
import { compareText } from "../base/compare-text.ts";
import type { Metrics } from "../base/metrics.ts";

/** What one proxy did with one cluster since its report before. */
export interface ClusterLoad {
  readonly cluster: string;
  /** Requests that were begun, that ended well, that ended with an error, and that were not even tried. */
  readonly issued: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly dropped: number;
  /** Requests under way at the moment of the report. */
  readonly inProgress: number;
}

/** The sums of all reports; `inProgress` is that of the last one. */
export interface ClusterTotals extends ClusterLoad {
  readonly reports: number;
  /** Milliseconds since the epoch. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** The record of the load that proxies report, beside the ledger. */
export interface LoadReports {
  /** Adds what came since the report before. `oversized`: clusters of the report that were beyond a limit. */
  readonly reported: (
    proxyId: string,
    report: { readonly loads: readonly ClusterLoad[]; readonly oversized: number },
  ) => void;
  /** The sums of one proxy, in the order of cluster names; empty for one that has not reported. */
  readonly of: (proxyId: string) => readonly ClusterTotals[];
}

export interface LoadReportsInput {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Does the proxy hold a cluster? Others are not taken in: their names are anybody's. */
  readonly knownTo: (proxyId: string) => (cluster: string) => boolean;
  /** Sums that are kept; beyond it, those of the proxy go that reported longest ago. Default 200 000. */
  readonly maxTotals?: number;
}

/**
 * Sums belong to the proxy, not to its stream: a reconnect goes on where it was. The metrics are sums over the mesh; a label for
 * each cluster would make as many series as the mesh has clusters, times proxies.
 */
export function createLoadReports({ clock, metrics, knownTo, maxTotals = 200_000 }: LoadReportsInput): LoadReports {
  /** Reported longest ago first. */
  const proxies = new Map<string, Map<string, ClusterTotals>>();
  let totals = 0;
  const reports = metrics.counter("fairway_lrs_reports_total", "Load reports taken in.");
  const requests = metrics.counter(
    "fairway_lrs_requests_total",
    "Requests that proxies reported, by outcome: issued, succeeded, error, dropped.",
    ["outcome"],
  );
  const ignored = metrics.counter(
    "fairway_lrs_ignored_clusters_total",
    "Clusters in load reports that were not taken in: unknown to us for that proxy, or beyond a limit.",
    ["reason"],
  );

  const count = ({ issued, succeeded, failed, dropped }: ClusterLoad): void => {
    requests.inc({ outcome: "issued" }, issued);
    requests.inc({ outcome: "succeeded" }, succeeded);
    requests.inc({ outcome: "error" }, failed);
    requests.inc({ outcome: "dropped" }, dropped);
  };

  const forgetOldest = (): void => {
    for (const [proxyId, clusters] of proxies) {
      if (totals <= maxTotals) return;
      totals -= clusters.size;
      proxies.delete(proxyId);
    }
  };

  return {
    reported(proxyId, { loads, oversized }) {
      const clusters = proxies.get(proxyId) ?? new Map<string, ClusterTotals>();
      const isKnown = knownTo(proxyId);
      // The last report of a cluster that has just gone still counts.
      const taken = loads.filter(({ cluster }) => clusters.has(cluster) || isKnown(cluster));
      const before = clusters.size;
      for (const load of taken) {
        clusters.set(load.cluster, added(clusters.get(load.cluster), load, clock.now()));
        count(load);
      }
      totals += clusters.size - before;
      proxies.delete(proxyId);
      if (clusters.size > 0) proxies.set(proxyId, clusters);
      forgetOldest();
      reports.inc();
      ignored.inc({ reason: "unknown" }, loads.length - taken.length);
      ignored.inc({ reason: "oversized" }, oversized);
    },

    of: (proxyId) => [...(proxies.get(proxyId)?.values() ?? [])].sort((a, b) => compareText(a.cluster, b.cluster)),
  };
}

const added = (before: ClusterTotals | undefined, load: ClusterLoad, atMs: number): ClusterTotals => ({
  cluster: load.cluster,
  issued: (before?.issued ?? 0) + load.issued,
  succeeded: (before?.succeeded ?? 0) + load.succeeded,
  failed: (before?.failed ?? 0) + load.failed,
  dropped: (before?.dropped ?? 0) + load.dropped,
  inProgress: load.inProgress,
  reports: (before?.reports ?? 0) + 1,
  firstAtMs: before?.firstAtMs ?? atMs,
  lastAtMs: atMs,
});
