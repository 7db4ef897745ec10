import type { Metrics } from "../base/metrics.ts";
import type { RestartReason } from "./plan.ts";
import type { WatchEvent } from "./watch-event.ts";

/** What the reflectors of one registry count, each for its kind of objects. */
export type KubeMetrics = (registry: string, resource: string) => ReflectorMetrics;

export interface ReflectorMetrics {
  /** A complete list has been taken. */
  readonly listed: (how: "list" | "stream") => void;
  readonly watched: () => void;
  readonly event: (type: WatchEvent["type"]) => void;
  readonly restarted: (reason: RestartReason) => void;
  readonly objects: (count: number) => void;
  /** When the server was last heard, milliseconds since the epoch. */
  readonly heard: (atMs: number) => void;
  /** An object could not be taken, or who was told of it failed. */
  readonly error: (where: "object" | "listener") => void;
  /** The reflector is gone. */
  readonly close: () => void;
}

export function createKubeMetrics(metrics: Metrics): KubeMetrics {
  const of = ["registry", "resource"] as const;
  const lists = metrics.counter("fairway_kube_lists_total", "Complete lists that were read of an API server.", [
    ...of,
    "how",
  ]);
  const watches = metrics.counter("fairway_kube_watches_total", "Watches that an API server began to answer.", of);
  const events = metrics.counter("fairway_kube_events_total", "Events of watches, by type.", [...of, "type"]);
  const restarts = metrics.counter(
    "fairway_kube_restarts_total",
    "Lists and watches that were begun again, by what became of the one before. `gone`: the server answered 410.",
    [...of, "reason"],
  );
  const objects = metrics.gauge("fairway_kube_objects", "Objects that are kept of an API server.", of);
  const heard = metrics.gauge(
    "fairway_kube_last_heard_timestamp_seconds",
    "When an API server last said something of the kind, bookmarks included: each minute on a healthy watch.",
    of,
  );
  const errors = metrics.counter(
    "fairway_kube_errors_total",
    "Objects that could not be taken, and listeners that failed: faults of Fairway.",
    [...of, "where"],
  );
  return (registry, resource) => {
    const labels = { registry, resource };
    return {
      listed: (how) => lists.inc({ ...labels, how }),
      watched: () => watches.inc(labels),
      event: (type) => events.inc({ ...labels, type }),
      restarted: (reason) => restarts.inc({ ...labels, reason }),
      objects: (count) => objects.set(labels, count),
      heard: (atMs) => heard.set(labels, atMs / 1_000),
      error: (where) => errors.inc({ ...labels, where }),
      close: () => {
        objects.remove(labels);
        heard.remove(labels);
      },
    };
  };
}
