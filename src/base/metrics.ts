import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** The process's metrics: made once in `app`, handed to whoever counts. Names start with `fairway_`. */
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

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, labels = []) => new Gauge({ name, help, labelNames: [...labels], registers }),
    histogram: (name, help, buckets, labels = []) =>
      new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], registers }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}
