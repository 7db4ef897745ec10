import type { BenchOptions } from "../options.ts";
import type { Failure, Measurement } from "../run.ts";
import type { ProfileRow } from "../servers/server.ts";
import { workloads } from "../workloads/all.ts";
import type { JudgedAim } from "./aims.ts";
import type { JudgedMust } from "./musts.ts";
import { ours, type SummaryRow } from "./summary.ts";
import { ratioText, valueText } from "./units.ts";

export interface Report {
  readonly options: BenchOptions;
  readonly summary: readonly SummaryRow[];
  readonly musts: readonly JudgedMust[];
  readonly aims: readonly JudgedAim[];
  readonly measurements: readonly Measurement[];
  readonly failures: readonly Failure[];
}

/** Metrics that the table shows, in this order; the rest is in the JSON. */
const shown: ReadonlyMap<string, string> = new Map([
  ["cpuS", "CPU of the server"],
  ["p50Ms", "time, p50 of proxies"],
  ["p99Ms", "time, p99"],
  ["lastMs", "time, last proxy"],
  ["stormLastMs", "storm, last proxy"],
  ["stormCpuS", "storm, CPU"],
  ["wholeCpuS", "CPU from its start"],
  ["readyMs", "ready after the restart"],
  ["emptyReadyMs", "ready with an empty mesh"],
  ["sentBytes", "bytes received"],
  ["sentCDSBytes", "  of clusters"],
  ["sentEDSBytes", "  of endpoints"],
  ["sentLDSBytes", "  of listeners"],
  ["sentRDSBytes", "  of route tables"],
  ["responsesCount", "responses"],
  ["residentBytes", "memory, resident"],
  ["peakBytes", "memory, peak"],
  ["growthBytes", "memory, for who is stalled"],
  ["loadShare", "load process busy"],
  ["loopP99Ms", "event loop late, p99"],
  ["missingCount", "arrivals missing"],
  ["dropsCount", "streams that broke"],
  ["smallCpuS", "CPU of a change"],
  ["largeCpuS", "CPU, ten times the services"],
  ["smallP99Ms", "time, p99"],
  ["largeP99Ms", "time, p99, ten times"],
  ["growthFactor", "growth"],
  ["largeReadyMs", "ready, ten times"],
]);

/** Above this the load process may be what was measured. */
const tooBusy = 0.7;
const zeroIsNews: ReadonlySet<string> = new Set(["sentBytes", "cpuS", "responsesCount"]);

export function reportText(report: Report): string {
  const { options, summary, musts, aims, measurements, failures } = report;
  const { services, instances, proxies } = options;
  return [
    `${services} services of ${instances} instances, ${proxies} proxies. Medians of rounds, range in brackets; ratio: peer / fairway.`,
    ...options.variants.flatMap((variant) => tableOf(summary.filter((row) => row.variant === variant))),
    ...section(
      "Must hold",
      musts.map(({ verdict, workload, what, found }) => [verdict, workload, what, found]),
    ),
    ...section("Aims", aims.map(aimCells)),
    ...section(
      "Failed",
      failures.map(({ where, message }) => [where, message]),
    ),
    ...measurements.flatMap(profileText),
  ].join("\n");
}

function tableOf(rows: readonly SummaryRow[]): readonly string[] {
  const servers = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const [first] = rows;
  if (first === undefined) return [];
  const ids = [...new Set(rows.map(({ workload }) => workload))];
  const lines = ids.flatMap((id) => {
    const mine = rows.filter(({ workload }) => workload === id);
    const busy = new Set(
      servers.filter(
        (server) => (mine.find(({ metric }) => metric === "loadShare")?.values[server]?.median ?? 0) > tooBusy,
      ),
    );
    const cells = [...shown].flatMap(([metric, title]) => {
      const row = mine.find((each) => each.metric === metric);
      if (row === undefined) return [];
      if (!zeroIsNews.has(metric) && Object.values(row.values).every(({ median }) => median === 0)) return [];
      return [[`  ${title}`, ...servers.map((server) => cellOf(row, server, busy)), ...ratioCells(row, servers)]];
    });
    return [[`${id} ${workloads.find((each) => each.id === id)?.title ?? ""}`], ...cells];
  });
  const peers = servers.filter((server) => server !== ours);
  const head = [
    first.variant === "delta" ? "Incremental (delta)" : "State of the world",
    ...servers,
    ...peers.map(() => "ratio"),
  ];
  return ["", ...columns([head, ...lines]), ...note(rows)];
}

function cellOf({ metric, values }: SummaryRow, server: string, busy: ReadonlySet<string>): string {
  const spread = values[server];
  if (spread === undefined || Number.isNaN(spread.median)) return "-";
  const { median, min, max } = spread;
  const mark = busy.has(server) && metric.endsWith("Ms") ? "*" : "";
  const range = min === max ? "" : ` (${valueText(metric, min)} - ${valueText(metric, max)})`;
  return `${valueText(metric, median)}${mark}${range}`;
}

const ratioCells = ({ ratios }: SummaryRow, servers: readonly string[]): readonly string[] =>
  servers.filter((server) => server !== ours).map((server) => (ratios[server] ? ratioText(ratios[server].median) : ""));

function note(rows: readonly SummaryRow[]): readonly string[] {
  const isBusy = rows.some(
    ({ metric, values }) => metric === "loadShare" && Object.values(values).some(({ median }) => median > tooBusy),
  );
  return isBusy ? ["  * the load process was more than 70 % busy: the time may be its own"] : [];
}

function aimCells({ verdict, workload, what, peer, kind, aim, found, metric }: JudgedAim): readonly string[] {
  const text = kind === "ratio" ? ratioText : (value: number) => valueText(metric, value);
  const wanted = kind === "ratio" ? `at least ${text(aim)}` : `at most ${text(aim)}`;
  return [verdict, workload, what, text(found), wanted, peer === undefined ? "" : `against ${peer}`];
}

const section = (title: string, rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : ["", title, ...columns(rows).map((line) => `  ${line}`)];

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    // A title alone may be as long as it likes.
    if (row.length === 1) continue;
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd((widths[index] ?? 0) + 2))
      .join("")
      .trimEnd(),
  );
}

function profileText({ workload, variant, profile }: Measurement): readonly string[] {
  if (profile === undefined) return [];
  const line = ({ name, place, share }: ProfileRow): string =>
    `  ${(100 * share).toFixed(1).padStart(5)} %  ${name}  ${place}`;
  return ["", `Self time in ${workload}, ${variant}`, ...profile.map(line)];
}
