import { type BenchType, benchTypes } from "../fixture/types.ts";
import type { LoadCounts } from "../load/commands.ts";
import type { Cost } from "../session.ts";
import { ascending, quantile, spreadOf } from "../statistics.ts";
import type { Figures } from "./workload.ts";

export const cpuOf = ({ userSeconds, systemSeconds }: Cost): number => userSeconds + systemSeconds;

export const sumOf = (costs: readonly Cost[], of: (cost: Cost) => number): number =>
  costs.reduce((sum, cost) => sum + of(cost), 0);

export const resourcesOf = ({ totals }: LoadCounts, types: readonly BenchType[] = benchTypes): number =>
  types.reduce((sum, type) => sum + totals[type].resources, 0);

export const bytesOf = ({ totals }: LoadCounts): number =>
  benchTypes.reduce((sum, type) => sum + totals[type].bytes, 0);

export const responsesOf = ({ totals }: LoadCounts): number =>
  benchTypes.reduce((sum, type) => sum + totals[type].responses, 0);

/** Of times in milliseconds. */
export function timeFigures(tookMs: readonly number[]): Figures {
  const list = ascending(tookMs);
  return { p50Ms: quantile(list, 0.5), p99Ms: quantile(list, 0.99), lastMs: quantile(list, 1) };
}

/** The p99 of a few edits is the slowest of them, and of a few proxies one of those: chance, from run to run. */
const enough = { edits: 20, times: 5_000 } as const;

/** How long edits took, in milliseconds, each at the proxies that it is for: to the last of them, as the median of edits. */
export function editFigures(edits: readonly (readonly number[])[]): Figures {
  const all = edits.flat();
  const lastMs = spreadOf(edits.map((tookMs) => Math.max(...tookMs))).median;
  const isEnough = edits.length >= enough.edits && all.length >= enough.times;
  return { ...(isEnough && timeFigures(all)), lastMs };
}

/** What the work cost, and what was sent by it; `each`: divided by the number of edits. */
export function costFigures(costs: readonly Cost[], each = 1): Figures {
  const mean = (of: (cost: Cost) => number): number => sumOf(costs, of) / each;
  return {
    cpuS: mean(cpuOf),
    userS: mean(({ userSeconds }) => userSeconds),
    systemS: mean(({ systemSeconds }) => systemSeconds),
    sentBytes: mean(({ counts }) => bytesOf(counts)),
    responsesCount: mean(({ counts }) => responsesOf(counts)),
    resourcesCount: mean(({ counts }) => resourcesOf(counts)),
    ...Object.fromEntries(
      benchTypes.map((type) => [`sent${type}Bytes`, mean(({ counts }) => counts.totals[type].bytes)]),
    ),
    dropsCount: mean(({ counts }) => Object.values(counts.drops).reduce((sum, count) => sum + count, 0)),
  };
}
