import type { Variant } from "../load/skim.ts";
import type { Measurement } from "../run.ts";
import { type Spread, spreadOf } from "../statistics.ts";

/** One metric of one workload over all pairs. */
export interface SummaryRow {
  readonly variant: Variant;
  readonly workload: string;
  readonly metric: string;
  /** By server. */
  readonly values: Readonly<Record<string, Spread>>;
  /** Peer / ours, pair by pair: above 1 is in our favour. By peer. */
  readonly ratios: Readonly<Record<string, Spread>>;
}

export const ours = "fairway";

export function summarize(measurements: readonly Measurement[]): readonly SummaryRow[] {
  const cells = measurements.flatMap(({ figures, ...where }) =>
    Object.entries(figures).map(([metric, value]) => ({ ...where, metric, value })),
  );
  const groups = Map.groupBy(cells, ({ variant, workload, metric }) => `${variant} ${workload} ${metric}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { variant, workload, metric } = first;
    const byServer = Map.groupBy(group, ({ server }) => server);
    const values = [...byServer].map(([server, list]) => [server, spreadOf(list.map(({ value }) => value))] as const);
    const ratios = [...byServer]
      .filter(([server]) => server !== ours)
      .map(([server, list]) => [server, spreadOf(pairRatios(list, byServer.get(ours) ?? []))] as const)
      .filter(([, { median }]) => !Number.isNaN(median));
    return [{ variant, workload, metric, values: Object.fromEntries(values), ratios: Object.fromEntries(ratios) }];
  });
}

interface Cell {
  readonly pair: number;
  readonly value: number;
}

/** Infinity where ours is nothing and theirs is not; 1 where both are nothing. */
function pairRatios(theirs: readonly Cell[], own: readonly Cell[]): readonly number[] {
  return theirs.flatMap(({ pair, value }) => {
    const mine = own.find((cell) => cell.pair === pair)?.value;
    return mine === undefined ? [] : [ratioOf(value, mine)];
  });
}

export const ratioOf = (theirs: number, mine: number): number => (theirs === mine ? 1 : theirs / mine);
