import { memoize } from "../base/memo.ts";
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
  /** A stream follows what its proxy gets, or no longer does. */
  readonly watched: () => void;
  readonly unwatched: () => void;
  /** A resource does not fit into a response that the client takes. */
  readonly oversized: (type: TypeName) => void;
  /** How many connections there are now. */
  readonly connections: (count: number) => void;
  /** How many bytes of responses wait for all connections now. */
  readonly inFlight: (bytes: number) => void;
  /** A connection took no bytes for too long. */
  readonly stalled: () => void;
  /** How many new streams wait to be let in now. */
  readonly waiting: (count: number) => void;
  readonly turnedAway: (reason: TurnedAway) => void;
  /** A stream made requests faster than they are read. */
  readonly throttled: () => void;
}

/** Why a connection or a new stream was not served. */
export type TurnedAway = "connections" | "silent" | "node-streams" | "queue-full" | "waited-too-long";

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
  const watches = metrics.gauge("fairway_xds_watches", "Streams that follow what their proxy gets.");
  const oversized = metrics.counter(
    "fairway_xds_oversized_total",
    "Resources too large for a response that their client takes.",
    ["type"],
  );
  const connections = metrics.gauge("fairway_xds_connections", "Open connections.");
  const inFlight = metrics.gauge("fairway_xds_bytes_in_flight", "Bytes of responses that wait for their connections.");
  const stalls = metrics.counter(
    "fairway_xds_stalled_connections_total",
    "Connections closed because they took no bytes.",
  );
  const waiting = metrics.gauge("fairway_xds_waiting_streams", "New streams that wait to be let in.");
  const turnedAway = metrics.counter(
    "fairway_xds_turned_away_total",
    "Connections and new streams that were not served, by the limit that they met.",
    ["limit"],
  );
  const throttled = metrics.counter(
    "fairway_xds_throttled_requests_total",
    "Requests that came faster than a stream's are read, and waited.",
  );
  return {
    opened: (variant) => streams.inc({ variant }),
    closed: (variant) => streams.dec({ variant }),
    sent: (type, length, resources) => {
      pushes.inc({ type });
      bytes.inc({ type }, length);
      resourceBytes.inc({ type }, bytesOf(resources));
    },
    encoded: (type) => encodes.inc({ type }),
    accepted: (type, tookMs) => acks.observe({ type }, tookMs / 1000),
    refused: (type) => nacks.inc({ type }),
    ended: (status) => ends.inc({ status }),
    nodeChanged: () => nodes.inc(),
    watched: () => watches.inc(),
    unwatched: () => watches.dec(),
    oversized: (type) => oversized.inc({ type }),
    connections: (count) => connections.set(count),
    inFlight: (count) => inFlight.set(count),
    stalled: () => stalls.inc(),
    waiting: (count) => waiting.set(count),
    turnedAway: (limit) => turnedAway.inc({ limit }),
    throttled: () => throttled.inc(),
  };
}

const bytesOf = memoize((resources: readonly Resource[]) =>
  resources.reduce((sum, resource) => sum + resource.bytes.length, 0),
);
