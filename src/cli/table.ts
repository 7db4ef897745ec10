import type { Style, Tone } from "./style.ts";
import { displayWidth, padEnd, padStart, visibleText } from "./terminal-text.ts";

export interface Column {
  readonly title: string;
  /** Numbers read best at the right. */
  readonly align?: "left" | "right";
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

/** An aligned table with quiet titles; no line has spaces at its end. Every line ends with a line end. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], style: Style): string {
  const texts = rows.map((row) => row.map((cell) => visibleText(typeof cell === "string" ? cell : cell.text)));
  const widths = columns.map(({ title }, i) =>
    Math.max(displayWidth(title), ...texts.map((row) => displayWidth(row[i] ?? ""))),
  );
  const line = (cells: readonly string[], toneOf: (index: number) => Tone): string => {
    const last = cells.findLastIndex((cell) => cell !== "");
    const padded = cells.slice(0, last + 1).map((cell, i) => {
      const right = columns[i]?.align === "right";
      const width = widths[i] ?? 0;
      const styled = style(toneOf(i), cell);
      if (right) return padStart("", width - displayWidth(cell)) + styled;
      return i === last ? styled : styled + padEnd("", width - displayWidth(cell));
    });
    return `${padded.join("  ")}\n`;
  };
  const toneAt =
    (row: readonly Cell[]) =>
    (index: number): Tone => {
      const cell = row[index];
      return cell === undefined || typeof cell === "string" ? "plain" : cell.tone;
    };
  const titles = line(
    columns.map(({ title }) => title),
    () => "quiet",
  );
  return titles + rows.map((row, i) => line(texts[i] ?? [], toneAt(row))).join("");
}
