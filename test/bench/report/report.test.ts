import { expect, test } from "vitest";
import { quantile, spreadOf } from "../statistics.ts";
import { judgeAims } from "./aims.ts";
import { judgeMusts } from "./musts.ts";
import { picture } from "./picture.ts";
import { summarize } from "./summary.ts";
import { valueText } from "./units.ts";

test("quantiles and spreads", () => {
  expect([0, 0.5, 0.99, 1].map((share) => quantile([1, 2, 3, 4, 5], share))).toEqual([1, 3, 5, 5]);
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([]).median).toBeNaN();
});

const measured = (server: string, pair: number, workload: string, figures: Readonly<Record<string, number>>) => ({
  ...{ server, pair, workload, figures, variant: "delta" as const },
});

test("ratios are those of pairs, and nothing against nothing is 1", () => {
  const rows = summarize([
    measured("fairway", 0, "W5", { sentBytes: 10, lastMs: 0 }),
    measured("peer", 0, "W5", { sentBytes: 100, lastMs: 0 }),
    measured("fairway", 1, "W5", { sentBytes: 20, lastMs: 0 }),
    measured("peer", 1, "W5", { sentBytes: 100, lastMs: 0 }),
  ]);
  expect(rows.map(({ metric, ratios }) => [metric, ratios["peer"]?.median])).toEqual([
    ["sentBytes", 7.5],
    ["lastMs", 1],
  ]);
});

test("what must hold and what is aimed at are judged by what was measured", () => {
  const measurements = [
    measured("fairway", 0, "W7", { sentBytes: 0 }),
    measured("fairway", 1, "W7", { sentBytes: 3 }),
    measured("fairway", 0, "W1", { cpuS: 1, lastMs: 10, loopP99Ms: 500, compilesCount: 2, profilesCount: 2 }),
    measured("peer", 0, "W1", { cpuS: 12, lastMs: 20 }),
  ];
  expect(judgeMusts(measurements)).toMatchObject([
    { id: "silent", verdict: "missed", found: "3 bytes" },
    { id: "profiles-W1", verdict: "held" },
  ]);
  const aims = judgeAims(summarize(measurements));
  expect(aims.map(({ metric, found, verdict }) => [metric, found, verdict])).toEqual([
    ["cpuS", 12, "met"],
    ["lastMs", 2, "missed"],
    ["loopP99Ms", 500, "missed"],
  ]);
  expect(picture(aims)).toContain("12 x");
});

test("what a single round's noise would miss is judged by the medians of all", () => {
  const found = (p99s: readonly number[]) => {
    const rounds = p99s.map((p99Ms, pair) =>
      measured("fairway", pair, "W8", { missingCount: 0, p99Ms, usualP99Ms: 200, growthBytes: 1_048_576 }),
    );
    return judgeMusts(rounds).map(({ id, verdict, found: text }) => [id, verdict, text]);
  };
  const others = [
    ["stalled", "held", "0 missing"],
    ["stalled-memory", "held", "1.0 MiB more"],
  ] as const;
  expect(found([210, 400, 220])).toEqual([
    others[0],
    ["stalled-time", "held", "p99 220 ms, without it 200 ms"],
    others[1],
  ]);
  expect(found([390, 400, 220])).toEqual([
    others[0],
    ["stalled-time", "missed", "p99 390 ms, without it 200 ms"],
    others[1],
  ]);
});

test("values with their units", () => {
  expect(
    ["lastMs", "lastMs", "cpuS", "sentBytes", "sentBytes", "loadShare", "dropsCount"].map((metric, i) =>
      valueText(metric, [1.234, 12_345, 1.5, 1_500, 0, 0.71, 3][i] ?? 0),
    ),
  ).toEqual(["1.23 ms", "12.3 s", "1.500 s", "1.5 kB", "0 B", "71 %", "3"]);
});
