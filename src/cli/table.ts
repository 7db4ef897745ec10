import type { Style, Tone } from "./style.ts";
import { displayWidth, visibleText } from "./terminal-text.ts";

export interface Column {
  readonly title: string;
  /** Numbers read best at the right. */
  readonly align?: "left" | "right";
}

export type Cell = string | { readonly text: string; readonly tone: Tone };

/** An aligned table with quiet titles; no line has spaces at its end. Every line ends with a line end. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], style: Style): string {
  const table = layOutTable(columns, rows, style);
  return table.titles + rows.map(table.row).join("");
}

/** A table whose rows may come one by one: as wide as the rows that are known when it begins. */
export interface TableLayout {
  readonly titles: string;
  readonly row: (cells: readonly Cell[]) => string;
}

export function layOutTable(columns: readonly Column[], rows: readonly (readonly Cell[])[], style: Style): TableLayout {
  const widths = columns.map(({ title }, i) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(textOf(row[i])))),
  );
  const line = (cells: readonly Cell[]): string => {
    const last = cells.findLastIndex((cell) => textOf(cell) !== "");
    const padded = cells.slice(0, last + 1).map((cell, i) => {
      const text = textOf(cell);
      const room = " ".repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(text)));
      const styled = style(typeof cell === "string" ? "plain" : cell.tone, text);
      if (columns[i]?.align === "right") return room + styled;
      return i === last ? styled : styled + room;
    });
    return `${padded.join("  ")}\n`;
  };
  return { titles: line(columns.map(({ title }) => ({ text: title, tone: "quiet" }))), row: line };
}

const textOf = (cell: Cell | undefined): string =>
  cell === undefined ? "" : visibleText(typeof cell === "string" ? cell : cell.text);
