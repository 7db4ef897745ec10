import type { CellResult } from "../run-suite.ts";
import { variants } from "../variants.ts";
import { headline, type Matrix } from "./matrix.ts";

/** For a terminal. */
export function matrixText(matrix: Matrix): string {
  const columns = variants.map(({ name }) => name);
  const line = (first: string, cells: readonly string[], last: string): string =>
    `${first.padEnd(8)}${cells.map((cell) => cell.padEnd(14)).join("")}${last}`.trimEnd();
  const rows = matrix.rows.map(({ statement, standing, cells, text }) =>
    line(
      statement,
      columns.map((name) => (standing === "planned" || standing === "open" ? standing : (cells[name] ?? "·"))),
      text,
    ),
  );
  return [line("", columns, ""), ...rows, "", headline(matrix), ""].join("\n");
}

/** The failures, each with its reason. */
export function failuresText(results: readonly CellResult[]): string {
  return results
    .filter(({ outcome }) => outcome === "fail" || outcome === "xpass")
    .map(({ cell, outcome, reason = "" }) => `${outcome} ${cell.id}\n    ${reason.replaceAll("\n", "\n    ")}\n`)
    .join("");
}
