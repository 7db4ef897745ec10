import type { Case } from "./case.ts";
import { type CellPlan, planCells } from "./cells.ts";
import { type Expectation, expectationFor } from "./expect/expectation.ts";
import { type Cell, runCell } from "./run-case.ts";
import type { Target } from "./targets/target.ts";

/** `xfail`: it fails, as is known; `xpass`: it should have, by what is known, and did not. */
export type Outcome = "pass" | "fail" | "xfail" | "xpass" | "n/a";

export interface CellResult {
  readonly cell: Cell;
  readonly outcome: Outcome;
  /** Why it failed, as far as is known, or is not applicable. */
  readonly reason?: string;
  /** Where the failure was expected: what this run saw. */
  readonly saw?: string;
  readonly tookMs: number;
}

export interface SuiteOptions {
  readonly target: Target;
  readonly cases: readonly Case[];
  readonly expectations: readonly Expectation[];
  /** Which cells to run, by id. Default: all. */
  readonly isSelected?: (id: string) => boolean;
  /** How many cells at the same time: most of their time is silence. */
  readonly concurrency: number;
  readonly onResult?: (result: CellResult) => void;
}

const maxHeavyAtOnce = 3;

/** Runs every cell; never rejects because of one. Results are in the order of the cells. */
export async function runSuite(options: SuiteOptions): Promise<readonly CellResult[]> {
  const { target, cases, expectations, isSelected = () => true, concurrency, onResult } = options;
  const plans = planCells(cases, target).filter(({ cell }) => isSelected(cell.id));
  const results: CellResult[] = [];
  const run = async (index: number, plan: CellPlan): Promise<void> => {
    const result: CellResult =
      plan.notApplicable === undefined
        ? judged(await attempt(target, plan.cell), expectationFor(expectations, target.name, plan.cell))
        : { cell: plan.cell, outcome: "n/a", reason: plan.notApplicable, tookMs: 0 };
    results[index] = result;
    onResult?.(result);
  };
  const all = [...plans.entries()];
  const isHeavy = ([, { cell }]: readonly [number, CellPlan]): boolean => cell.case.heavy === true;
  for (const { batch, atOnce } of [
    { batch: all.filter((entry) => !isHeavy(entry)), atOnce: concurrency },
    { batch: all.filter(isHeavy), atOnce: Math.min(concurrency, maxHeavyAtOnce) },
  ]) {
    const queue = batch.values();
    const work = async (): Promise<void> => {
      for (const [index, plan] of queue) await run(index, plan);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
  return results;
}

/** Runs one cell; never rejects. */
export async function attempt(target: Target, cell: Cell): Promise<CellResult> {
  const begun = performance.now();
  try {
    await runCell(target, cell);
    return { cell, outcome: "pass", tookMs: performance.now() - begun };
  } catch (error) {
    const reason =
      error instanceof Error
        ? `${error.message}${error.cause instanceof Error ? ` (${error.cause.message})` : ""}`
        : String(error);
    return { cell, outcome: "fail", reason, tookMs: performance.now() - begun };
  }
}

function judged(result: CellResult, expectation: Expectation | undefined): CellResult {
  if (expectation === undefined || (expectation.sometimes === true && result.outcome === "pass")) return result;
  const { reason: saw = "" } = result;
  return result.outcome === "pass"
    ? { ...result, outcome: "xpass", reason: `expected to fail: ${expectation.reason}` }
    : { ...result, outcome: "xfail", reason: expectation.reason, saw };
}
