import type { Measurement } from "../run.ts";
import { spreadOf } from "../statistics.ts";
import type { Figures } from "../workloads/workload.ts";
import { ours } from "./summary.ts";

/** A row that must hold, whatever the machine: missed ones make the bench fail. */
interface Must {
  readonly id: string;
  readonly workload: string;
  readonly what: string;
  /** Only in delta; the other form has no way to do it. */
  readonly deltaOnly: boolean;
  /** Whether each round must hold (the default), or the medians of all: where the machine's noise is in a single one. */
  readonly rounds?: "each" | "median";
  readonly holds: (figures: Figures) => boolean;
  readonly found: (figures: Figures) => string;
}

const mebibyte = 1024 * 1024;
/** A connection's budget, and what a client of a thousand that stands still may cost besides. */
const mostStalledBytes = 64 * mebibyte;

const figure = (figures: Figures, name: string): number => figures[name] ?? Number.NaN;

const musts: readonly Must[] = [
  {
    ...{ id: "silent", workload: "W7", deltaOnly: false, what: "an edit that changes nothing sends nothing" },
    holds: (figures) => figure(figures, "sentBytes") === 0,
    found: (figures) => `${figure(figures, "sentBytes")} bytes`,
  },
  {
    ...{ id: "one-endpoint", workload: "W2a", deltaOnly: true, what: "an endpoint change sends its service only" },
    holds: (figures) => figure(figures, "strayCount") === 0 && figure(figures, "missingCount") === 0,
    found: (figures) => `${figure(figures, "strayCount")} other resources, ${figure(figures, "missingCount")} missing`,
  },
  {
    ...{
      id: "one-neighbourhood",
      workload: "W9",
      deltaOnly: true,
      what: "an endpoint change goes to those that see it",
    },
    holds: (figures) =>
      figure(figures, "strayCount") === 0 && figure(figures, "touchedCount") === figure(figures, "expectedCount"),
    found: (figures) =>
      `${figure(figures, "touchedCount")} proxies of ${figure(figures, "expectedCount")}, ${figure(figures, "strayCount")} other resources`,
  },
  {
    ...{ id: "restart", workload: "W5", deltaOnly: true, what: "after a restart no resource is sent again" },
    holds: (figures) => figure(figures, "resourcesCount") === 0,
    found: (figures) => `${figure(figures, "resourcesCount")} resources`,
  },
  ...(["W3a", "W3b"] as const).map(
    (workload): Must => ({
      ...{ id: `rule-${workload}`, workload, deltaOnly: true, what: "a rule sends what it changes, and its endpoints" },
      holds: (figures) => figure(figures, "strayCount") === 0 && figure(figures, "missingCount") === 0,
      found: (figures) => `${figure(figures, "strayCount")} other resources`,
    }),
  ),
  {
    ...{ id: "stalled", workload: "W8", deltaOnly: true, what: "one stalled proxy keeps nothing from others" },
    holds: (figures) => figure(figures, "missingCount") === 0,
    found: (figures) => `${figure(figures, "missingCount")} missing`,
  },
  {
    ...{ id: "stalled-time", workload: "W8", deltaOnly: true, what: "one stalled proxy slows nobody else" },
    rounds: "median",
    // A quarter and 50 ms are noise.
    holds: (figures) => figure(figures, "p99Ms") <= 1.25 * figure(figures, "usualP99Ms") + 50,
    found: (figures) =>
      `p99 ${figure(figures, "p99Ms").toFixed(0)} ms, without it ${figure(figures, "usualP99Ms").toFixed(0)} ms`,
  },
  {
    ...{ id: "stalled-memory", workload: "W8", deltaOnly: true, what: "one stalled proxy is held little for" },
    holds: (figures) => figure(figures, "growthBytes") < mostStalledBytes,
    found: (figures) => `${(figure(figures, "growthBytes") / mebibyte).toFixed(1)} MiB more`,
  },
  ...(["W1", "W1b"] as const).map(
    (workload): Must => ({
      ...{
        id: `profiles-${workload}`,
        workload,
        deltaOnly: true,
        what: "proxies that are alike are compiled for once",
      },
      holds: (figures) => figure(figures, "compilesCount") === figure(figures, "profilesCount"),
      found: (figures) => `${figure(figures, "compilesCount")} compiles for ${figure(figures, "profilesCount")} kinds`,
    }),
  ),
];

export interface JudgedMust {
  readonly id: string;
  readonly workload: string;
  readonly what: string;
  readonly found: string;
  readonly verdict: "held" | "missed";
}

/** Every one that was measured; the first round that missed is what is shown. */
export function judgeMusts(measurements: readonly Measurement[]): readonly JudgedMust[] {
  return musts.flatMap(({ id, workload, what, deltaOnly, rounds, holds, found }) => {
    const mine = measurements
      .filter((each) => each.server === ours && each.workload === workload && (!deltaOnly || each.variant === "delta"))
      .map(({ figures }) => figures);
    const judged = rounds === "median" && mine.length > 0 ? [mediansOf(mine)] : mine;
    const worst = judged.find((figures) => !holds(figures)) ?? judged[0];
    if (worst === undefined) return [];
    const verdict = holds(worst) ? ("held" as const) : ("missed" as const);
    return [{ id, workload, what, found: found(worst), verdict }];
  });
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const names = new Set(rounds.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => [name, spreadOf(rounds.map((figures) => figure(figures, name))).median]),
  );
}
