import type { Style } from "./style.ts";
import { displayWidth, padEnd, visibleText } from "./terminal-text.ts";

/** A text with its label; no label: it goes on with what the line before says. */
export type Line = readonly [label: string, text: string];

/** Texts below each other, behind their labels. */
export function formatLines(lines: readonly Line[], style: Style): string {
  const width = Math.max(0, ...lines.map(([label]) => displayWidth(visibleText(label))));
  return lines
    .map(([label, text]) => `  ${style("quiet", padEnd(visibleText(label), width))}  ${text}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
