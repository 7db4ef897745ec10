import { maxNameLength } from "../../envoy/discovery-request.ts";
import type { ClusterStats } from "../../gen/envoy/config/endpoint/v3/load_report_pb.ts";

/** What one client did with one cluster since its report before. */
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

export interface LoadReport {
  readonly loads: readonly ClusterLoad[];
  /** Clusters that are not among `loads`, because they are beyond a limit. */
  readonly oversized: number;
}

const maxClusters = 10_000;
const maxLocalities = 256;
/** Of one cluster in one report. Nobody has so many requests; sums of sums must stay exact numbers. */
const maxRequests = 1_000_000_000_000n;

/** Sums up each cluster over its localities. */
export function readLoadReport(stats: readonly ClusterStats[]): LoadReport {
  const loads = stats.slice(0, maxClusters).flatMap((cluster) => loadOf(cluster) ?? []);
  return { loads, oversized: stats.length - loads.length };
}

function loadOf({ clusterName, upstreamLocalityStats, totalDroppedRequests }: ClusterStats): ClusterLoad | undefined {
  if (clusterName.length > maxNameLength || upstreamLocalityStats.length > maxLocalities) return undefined;
  let [issued, succeeded, failed, inProgress] = [0n, 0n, 0n, 0n];
  for (const locality of upstreamLocalityStats) {
    issued += locality.totalIssuedRequests;
    succeeded += locality.totalSuccessfulRequests;
    failed += locality.totalErrorRequests;
    inProgress += locality.totalRequestsInProgress;
  }
  const counts = { issued, succeeded, failed, dropped: totalDroppedRequests, inProgress };
  if (Object.values(counts).some((count) => count > maxRequests)) return undefined;
  return {
    cluster: clusterName,
    issued: Number(issued),
    succeeded: Number(succeeded),
    failed: Number(failed),
    dropped: Number(totalDroppedRequests),
    inProgress: Number(inProgress),
  };
}
