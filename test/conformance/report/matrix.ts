import type { Case } from "../case.ts";
import type { CellResult, Outcome } from "../run-suite.ts";
import { planned, type StatementId, statements } from "../statements.ts";
import { type VariantName, variants } from "../variants.ts";

/** `planned`: nothing can hold it yet; `open`: no case is written. */
export type Standing = Outcome | "planned" | "open";

export interface MatrixRow {
  readonly statement: StatementId;
  readonly level: string;
  readonly text: string;
  /** All variants together. */
  readonly standing: Standing;
  /** undefined: the statement has no case in this variant. */
  readonly cells: Readonly<Record<VariantName, Standing | undefined>>;
  /** Different reasons of what failed, or passed against what is known. */
  readonly reasons: readonly string[];
  /** Different reasons of what is not applicable. */
  readonly notApplicable: readonly string[];
}

export interface Matrix {
  readonly target: string;
  readonly rows: readonly MatrixRow[];
  readonly cells: Readonly<Record<Outcome, number>>;
  /** Statements that hold, of those that apply. */
  readonly held: number;
  readonly of: number;
  readonly tookMs: number;
}

/** The first that one of them has stands for all. */
const precedence: readonly Outcome[] = ["fail", "xpass", "xfail", "pass", "n/a"];

const together = (outcomes: readonly Outcome[]): Outcome | undefined =>
  precedence.find((one) => outcomes.includes(one));

export function matrixOf(
  target: string,
  cases: readonly Case[],
  results: readonly CellResult[],
  tookMs: number,
): Matrix {
  const rows = statements.map(([statement, level, text]): MatrixRow => {
    const mine = results.filter(({ cell }) => cell.case.statement === statement);
    const cells = Object.fromEntries(
      variants.map(({ name }) => [
        name,
        together(mine.filter(({ cell }) => cell.variant.name === name).map(({ outcome }) => outcome)),
      ]),
    ) as MatrixRow["cells"];
    const written = cases.some((one) => one.statement === statement);
    const standing = planned.has(statement)
      ? "planned"
      : written
        ? (together(mine.map(({ outcome }) => outcome)) ?? "n/a")
        : "open";
    const reasonsOf = (outcomes: readonly Outcome[]): readonly string[] => [
      ...new Set(mine.filter(({ outcome }) => outcomes.includes(outcome)).flatMap(({ reason }) => reason ?? [])),
    ];
    const [reasons, notApplicable] = [reasonsOf(["fail", "xfail", "xpass"]), reasonsOf(["n/a"])];
    return { statement, level, text, standing, cells, reasons, notApplicable };
  });
  const count = (outcome: Outcome): number => results.filter((result) => result.outcome === outcome).length;
  return {
    ...{ target, rows, tookMs },
    cells: {
      pass: count("pass"),
      fail: count("fail"),
      xfail: count("xfail"),
      xpass: count("xpass"),
      "n/a": count("n/a"),
    },
    held: rows.filter(({ standing }) => standing === "pass" || standing === "xpass").length,
    of: rows.filter(({ standing }) => standing !== "n/a").length,
  };
}

export const headline = ({ target, held, of, cells }: Matrix): string =>
  `${target}: ${held} of ${of} statements hold; ${cells.pass + cells.xpass} of ${cells.pass + cells.xpass + cells.fail + cells.xfail} runs pass`;
