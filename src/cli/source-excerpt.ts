import type { Style, Tone } from "./style.ts";
import { displayWidth, visibleText } from "./terminal-text.ts";

/** A line of a text with marks under one part of it. */
export interface ExcerptOptions {
  readonly text: string;
  /** Counted from 1; the column in UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly tone: Tone;
  readonly style: Style;
}

/** More of one line than this is not shown. */
const maxChars = 100;

/**
 *     14 │           weight: -1
 *        │                   ^^
 *
 * Undefined when the text has no such line.
 */
export function formatExcerpt({ text, line, column, tone, style }: ExcerptOptions): string | undefined {
  const source = text.split(/\r?\n/, line)[line - 1];
  if (source === undefined) return undefined;
  const start = Math.min(column - 1, source.length);
  const length = lengthOfToken(source.slice(start));
  const from = source.length <= maxChars ? 0 : Math.max(0, Math.min(start - maxChars / 2, source.length - maxChars));
  const shown =
    (from > 0 ? "…" : "") + source.slice(from, from + maxChars) + (from + maxChars < source.length ? "…" : "");
  const before = (from > 0 ? "…" : "") + source.slice(from, start);
  const marked = source.slice(start, Math.min(start + length, from + maxChars));
  const gutter = String(line);
  const marks = style(tone, "^".repeat(Math.max(1, displayWidth(oneToOne(marked)))));
  return [
    `${style("quiet", `  ${gutter} │`)} ${oneToOne(shown)}\n`,
    `${style("quiet", `  ${" ".repeat(gutter.length)} │`)} ${" ".repeat(displayWidth(oneToOne(before)))}${marks}\n`,
  ].join("");
}

/** Visible, with as many characters as the source, so that the marks stand below what they mark. */
const oneToOne = (source: string): string => [...source].map(visibleText).join("");

/** The quoted text, bracket or word that stands at the beginning. */
function lengthOfToken(rest: string): number {
  const token = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'|^[[{]|^[^\s,:[\]{}#]+/.exec(rest);
  return token?.[0].length ?? 1;
}
