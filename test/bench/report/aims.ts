import type { Variant } from "../load/skim.ts";
import { ours, ratioOf, type SummaryRow } from "./summary.ts";

/** What Fairway wants to be: so many times better than a peer, or below a limit of its own. */
type Aim = {
  readonly workload: string;
  readonly metric: string;
  readonly what: string;
  readonly variant?: Variant;
} & (
  | { readonly kind: "ratio"; readonly atLeast: number; readonly theirVariant?: Variant }
  | { readonly kind: "limit"; readonly atMost: number }
);

const ratio = (workload: string, metric: string, atLeast: number, what: string): Aim => ({
  ...{ kind: "ratio", workload, metric, atLeast, what },
});
const limit = (workload: string, metric: string, atMost: number, what: string): Aim => ({
  ...{ kind: "limit", workload, metric, atMost, what },
});

const aims: readonly Aim[] = [
  ratio("W1", "cpuS", 10, "cold storm: CPU"),
  ratio("W1", "lastMs", 8, "cold storm: time"),
  ratio("W2a", "p99Ms", 15, "lone endpoint change: p99"),
  ratio("W2a", "cpuS", 15, "lone endpoint change: CPU"),
  ratio("W2b", "p99Ms", 10, "steady churn: p99 of staleness"),
  ratio("W5", "sentBytes", 1, "restart: bytes, both delta"),
  { ...ratio("W5", "sentBytes", 100, "restart: bytes, its state of the world"), theirVariant: "sotw" } as Aim,
  ratio("W5", "lastMs", 1, "restart: time"),
  ratio("W6", "cpuS", 10, "every cluster changes: CPU"),
  ratio("W1", "residentBytes", 5, "memory after the storm"),
  limit("W2s", "growthFactor", 1.2, "CPU of a change at ten times the services"),
  limit("W2a", "loopP99Ms", 50, "event loop late with a lone change: p99"),
  limit("W2b", "loopP99Ms", 50, "event loop late in churn: p99"),
  limit("W1", "loopP99Ms", 200, "event loop late in the storm: p99"),
  limit("W1", "emptyReadyMs", 1_000, "ready with an empty mesh"),
  limit("W5", "readyMs", 3_000, "ready with the whole mesh"),
];

export interface JudgedAim {
  readonly what: string;
  readonly workload: string;
  readonly metric: string;
  readonly kind: Aim["kind"];
  readonly peer?: string;
  /** The ratio that is wanted, or the limit. */
  readonly aim: number;
  readonly found: number;
  readonly verdict: "met" | "missed";
}

export function judgeAims(summary: readonly SummaryRow[]): readonly JudgedAim[] {
  const rowOf = ({ workload, metric }: Aim, variant: Variant): SummaryRow | undefined =>
    summary.find((row) => row.workload === workload && row.metric === metric && row.variant === variant);
  return aims.flatMap((aim): readonly JudgedAim[] => {
    const { what, workload, metric, kind } = aim;
    const row = rowOf(aim, "delta");
    const own = row?.values[ours]?.median;
    if (row === undefined || own === undefined || Number.isNaN(own)) return [];
    if (aim.kind === "limit") {
      const verdict = own <= aim.atMost ? "met" : "missed";
      return [{ what, workload, metric, kind, aim: aim.atMost, found: own, verdict }];
    }
    const { atLeast, theirVariant } = aim;
    const ratios = theirVariant === undefined ? medians(row.ratios) : ratiosTo(own, rowOf(aim, theirVariant));
    return ratios.map(([peer, found]) => {
      const verdict = found >= atLeast ? "met" : "missed";
      return { what, workload, metric, kind, peer, aim: atLeast, found, verdict };
    });
  });
}

const medians = (ratios: SummaryRow["ratios"]): readonly (readonly [string, number])[] =>
  Object.entries(ratios).map(([peer, { median }]) => [peer, median]);

const ratiosTo = (own: number, theirs: SummaryRow | undefined): readonly (readonly [string, number])[] =>
  Object.entries(theirs?.values ?? {})
    .filter(([server]) => server !== ours)
    .map(([server, { median }]) => [server, ratioOf(median, own)]);
