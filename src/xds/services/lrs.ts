import { create, toBinary } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { MeshError } from "../../base/errors.ts";
import { requestNode } from "../../envoy/discovery-request.ts";
import type { Node } from "../../gen/envoy/config/core/v3/base_pb.ts";
import {
  LoadReportingService,
  LoadStatsRequestSchema,
  LoadStatsResponseSchema,
} from "../../gen/envoy/service/load_stats/v3/lrs_pb.ts";
import { parseProxyNode } from "../../model/proxy.ts";
import { type LoadReport, readLoadReport } from "./load-report.ts";
import { readRequest } from "./read-request.ts";
import type { ServedService } from "./served-service.ts";
import type { Conversation, SideCall } from "./side-call.ts";
import { createSideService, type SideLimits, type SidePorts } from "./side-service.ts";

/** Who takes the reports. */
export interface LoadRecorder {
  /** Names of the clusters that the proxy holds. */
  readonly clustersOf: (proxyId: string) => readonly string[];
  readonly reported: (proxyId: string, report: LoadReport) => void;
}

export interface LrsPorts extends SidePorts {
  readonly recorder: LoadRecorder;
  /** How often clients report, in ms; positive, default 10 000. */
  readonly intervalMs?: number;
}

const mebibyte = 1024 * 1024;

const limits: SideLimits = {
  maxCalls: 20_000,
  maxRequestBytes: 4 * mebibyte,
  burst: 5,
  perSecond: 1,
  budgetOf: "call",
  firstRequestMs: 30_000,
};

const sendsAllClusters = "envoy.lrs.supports_send_all_clusters";

/** Load reporting: a client says who it is, is told what to report and how often, and then reports what came since. */
export function createLrs({ recorder, intervalMs = 10_000, ...ports }: LrsPorts): ServedService {
  if (!(intervalMs > 0)) throw new MeshError("usage/invalid", `the interval of load reports is ${intervalMs} ms`);
  const { clock } = ports;
  const loadReportingInterval = durationFromMs(intervalMs);

  const encoded = (wanted: { readonly sendAllClusters: true } | { readonly clusters: readonly string[] }): Uint8Array =>
    toBinary(
      LoadStatsResponseSchema,
      create(LoadStatsResponseSchema, {
        loadReportingInterval,
        ...("clusters" in wanted ? { clusters: [...wanted.clusters] } : wanted),
      }),
    );

  const open = (call: SideCall): Conversation => {
    let client: Reporter | undefined;
    let cancel = (): void => {};

    /** A client that must be told the names of its clusters is told again whenever they are others. */
    const follow = (id: string, told: readonly string[]): void => {
      cancel = clock.after(intervalMs, () => {
        const clusters = recorder.clustersOf(id);
        const same = clusters.length === told.length && clusters.every((name, i) => name === told[i]);
        if (!same) call.send(encoded({ clusters }));
        follow(id, clusters);
      });
    };

    const greet = ({ id, features }: Reporter): Uint8Array => {
      if (features.includes(sendsAllClusters)) return encoded({ sendAllClusters: true });
      const clusters = recorder.clustersOf(id);
      follow(id, clusters);
      return encoded({ clusters });
    };

    return {
      receive: (bytes) => {
        const { node, clusterStats } = readRequest(LoadStatsRequestSchema, bytes);
        const known = client;
        const { id, features } = known ?? identify(node);
        client = { id, features };
        if (clusterStats.length > 0) recorder.reported(id, readLoadReport(clusterStats));
        return known === undefined ? { kind: "answer", message: greet(client) } : { kind: "silence" };
      },
      close: () => cancel(),
    };
  };

  return createSideService("lrs", LoadReportingService, { streamLoadStats: open }, limits, ports);
}

interface Reporter {
  readonly id: string;
  readonly features: readonly string[];
}

/** Throws `node/invalid`. */
function identify(node: Node | undefined): Reporter {
  if (node === undefined) throw new MeshError("node/invalid", "the first request of a stream must carry the node");
  const request = requestNode(node);
  return { id: parseProxyNode(request).id, features: request.features };
}
