/** Replaces the text from `start` to before `end`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text, or a part of it, with splices in it. They do not overlap; those at the same place come in the order of the list. */
export function applySplices(
  text: string,
  splices: readonly Splice[],
  { start, end } = { start: 0, end: text.length },
): string {
  const sorted = splices.toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  let at = start;
  for (const splice of sorted) {
    parts.push(text.slice(at, splice.start), splice.text);
    at = Math.max(at, splice.end);
  }
  return [...parts, text.slice(at, end)].join("");
}
