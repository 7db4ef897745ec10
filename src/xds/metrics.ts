import type { Metrics } from "../base/metrics.ts";
import type { Resource } from "../envoy/resource-set.ts";
import type { TypeName } from "../envoy/resource-types.ts";
import type { Variant } from "./response-cache.ts";

/** What the wire counts. */
export interface XdsMetrics {
  readonly opened: (variant: Variant) => void;
  readonly closed: (variant: Variant) => void;
  /** `bytes` of the whole response; `resources` are those in it. */
  readonly sent: (type: TypeName, bytes: number, resources: readonly Resource[]) => void;
  readonly encoded: (type: TypeName) => void;
  readonly accepted: (type: TypeName, tookMs: number) => void;
  readonly refused: (type: TypeName) => void;
  /** A stream was ended by us; OK is a drain. */
  readonly ended: (status: string) => void;
  /** A request named another node than the first one of its stream. */
  readonly nodeChanged: () => void;
}

const ackSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createXdsMetrics(metrics: Metrics): XdsMetrics {
  const streams = metrics.gauge("fairway_xds_streams", "Open xDS streams.", ["variant"]);
  const pushes = metrics.counter("fairway_xds_pushes_total", "Responses sent.", ["type"]);
  const bytes = metrics.counter("fairway_xds_push_bytes_total", "Bytes of responses sent.", ["type"]);
  const resourceBytes = metrics.counter(
    "fairway_xds_resource_bytes_total",
    "Bytes of resources sent, without the envelopes: 0 after a restart with nothing changed.",
    ["type"],
  );
  const encodes = metrics.counter("fairway_xds_encodes_total", "Responses encoded rather than shared.", ["type"]);
  const nacks = metrics.counter("fairway_xds_nacks_total", "Responses refused by a proxy.", ["type"]);
  const acks = metrics.histogram("fairway_xds_ack_seconds", "Time from a response to its ACK.", ackSeconds, ["type"]);
  const ends = metrics.counter("fairway_xds_ended_total", "Streams ended by the server.", ["status"]);
  const nodes = metrics.counter(
    "fairway_xds_node_changes_total",
    "Requests that named another node than their stream.",
  );
  return {
    opened: (variant) => streams.inc({ variant }),
    closed: (variant) => streams.dec({ variant }),
    sent: (type, length, resources) => {
      pushes.inc({ type });
      bytes.inc({ type }, length);
      resourceBytes.inc(
        { type },
        resources.reduce((sum, resource) => sum + resource.bytes.length, 0),
      );
    },
    encoded: (type) => encodes.inc({ type }),
    accepted: (type, tookMs) => acks.observe({ type }, tookMs / 1000),
    refused: (type) => nacks.inc({ type }),
    ended: (status) => ends.inc({ status }),
    nodeChanged: () => nodes.inc(),
  };
}
