import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** The process's metrics: made once in `app`, handed to whoever counts. Names of ours start with `fairway_`. */
export interface Metrics {
  readonly counter: <L extends string>(name: string, help: string, labels?: readonly L[]) => Counter<L>;
  readonly gauge: <L extends string>(name: string, help: string, labels?: readonly L[]) => Gauge<L>;
  readonly histogram: <L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly L[],
  ) => Histogram<L>;
  /** Prometheus text exposition. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricsOptions {
  /** Also what Prometheus' users know of any Node process, `process_*` and `nodejs_*`: CPU, memory, garbage, how late the event loop is. */
  readonly ofProcess?: boolean;
}

export function createMetrics({ ofProcess = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (ofProcess) collectDefaultMetrics({ register: registry });
  return {
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: [...labels], registers }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
