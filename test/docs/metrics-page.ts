import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { createMetrics, type Metrics } from "../../src/base/metrics.ts";
import { createSignal } from "../../src/base/signal.ts";
import { createCompiler } from "../../src/compile/compile.ts";
import { createStoreMeter } from "../../src/config/store-metrics.ts";
import { createLedger } from "../../src/delivery/ledger.ts";
import { createLoadReports } from "../../src/delivery/load-reports.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import { createLeaseMetrics } from "../../src/registry/rest/lease-metrics.ts";
import { createRegistryMeter } from "../../src/registry/wrap.ts";
import { createAuthenticationCounter } from "../../src/security/access.ts";
import { createResourceCache } from "../../src/snapshot/resource-cache.ts";
import { createXdsMetrics } from "../../src/xds/metrics.ts";
import { createSideMetrics } from "../../src/xds/services/side-metrics.ts";

interface MetricRow {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

/** Everybody who counts something. */
const meters: readonly ((metrics: Metrics) => unknown)[] = [
  createXdsMetrics,
  createSideMetrics,
  createRegistryMeter,
  createKubeMetrics,
  createLeaseMetrics,
  createStoreMeter,
  createAuthenticationCounter,
  (metrics) => createLedger({ clock: systemClock, metrics }),
  (metrics) => createLoadReports({ clock: systemClock, metrics, knownTo: () => () => true }),
  (metrics) =>
    createResourceCache({
      world: createSignal(undefined),
      clock: systemClock,
      compiler: createCompiler(),
      log: createLog({ level: "silent", format: "json", write: () => {} }),
      metrics,
    }).close(),
];

/** What each of them makes. */
export function metricRows(): readonly MetricRow[] {
  const rows: MetricRow[] = [];
  const real = createMetrics();
  const recording: Metrics = {
    ...real,
    counter: (name, help, labels = []) => {
      rows.push({ name, type: "counter", help, labels });
      return real.counter(name, help, labels);
    },
    gauge: (name, help, labels = []) => {
      rows.push({ name, type: "gauge", help, labels });
      return real.gauge(name, help, labels);
    },
    histogram: (name, help, buckets, labels = []) => {
      rows.push({ name, type: "histogram", help, labels });
      return real.histogram(name, help, buckets, labels);
    },
  };
  for (const meter of meters) meter(recording);
  return rows.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** `docs/metrics.md`. */
export function metricsPage(): string {
  const rows = metricRows().map(({ name, type, help, labels }) => {
    const shown = labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
  });
  return `# Metrics

<!-- Made by \`npm run docs\` from the metrics in src; do not edit. -->

\`fairway serve\` serves them as Prometheus text under \`/metrics\` at \`--metrics\` (default \`127.0.0.1:15014\`) and at
\`--api\`. Names are stable. \`type\` is the resource type in its short form: \`CDS\`, \`EDS\`, \`LDS\`, \`RDS\`.

| metric | kind | labels | |
| --- | --- | --- | --- |
${rows.join("\n")}

Besides, what is known of any Node process under the names that Prometheus' users expect: CPU, memory and files as
\`process_*\`, the heap, the collection of garbage and how late the event loop is (\`nodejs_eventloop_lag_p99_seconds\`) as \`nodejs_*\`.
`;
}
