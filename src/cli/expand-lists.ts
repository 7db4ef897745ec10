import { isMap, isNode, isSeq, parseDocument } from "yaml";
import { parseDocuments, type TextDocument } from "../base/yaml-document.ts";

/** A text in which every item of a list is a document of its own. */
export interface ExpandedText {
  readonly text: string;
  /** The line of the text as its author wrote it. */
  readonly originalLine: (line: number) => number;
}

/**
 * Takes lists of rules apart: `{ items: […] }`, as `get -o json` prints them, and `kind: List`. Items keep their own texts and
 * columns; documents that are no lists stay as they are, and so do lists that have something else among their items.
 */
export function expandLists(text: string): ExpandedText {
  const asIs = { text, originalLine: (line: number) => line };
  if (!/\bitems\b/.test(text)) return asIs;
  const pieces = parseDocuments(text).flatMap((document) => piecesOf(text, document));
  if (pieces.length > 0 && pieces.every(({ isItem }) => !isItem)) return asIs;
  const moved: { readonly from: number; readonly by: number }[] = [];
  let expanded = "";
  for (const { part, line, isItem } of pieces) {
    if (isItem) expanded += "---\n";
    else if (expanded !== "" && !part.startsWith("---")) expanded += "---\n";
    const from = lineCount(expanded);
    moved.push({ from, by: line - from });
    expanded += part.endsWith("\n") ? part : `${part}\n`;
  }
  return {
    text: expanded,
    originalLine: (line) => line + (moved.findLast(({ from }) => from <= line)?.by ?? 0),
  };
}

interface Piece {
  readonly part: string;
  /** Of the author's text, where the part begins. */
  readonly line: number;
  readonly isItem: boolean;
}

function piecesOf(text: string, { slice, problems, value }: TextDocument): readonly Piece[] {
  const own = text.slice(slice.start, slice.end);
  const lineAt = (offset: number): number => lineCount(text.slice(0, slice.start + offset));
  const ranges = problems.length === 0 && isList(value) ? itemRanges(own) : undefined;
  if (ranges === undefined) return [{ part: own, line: lineAt(0), isItem: false }];
  return ranges.map(([start, end]) => {
    // Its first line begins where it began, so that it is as far to the right as those that follow.
    const indent = start - (own.lastIndexOf("\n", start - 1) + 1);
    return { part: " ".repeat(indent) + own.slice(start, end), line: lineAt(start), isItem: true };
  });
}

/** No rule has items. */
const isList = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "items" in value && !("spec" in value);

function itemRanges(text: string): readonly (readonly [number, number])[] | undefined {
  const items: unknown = parseDocument(text).get("items");
  if (!isSeq(items)) return undefined;
  const ranges = items.items.flatMap((item) =>
    isNode(item) && isMap(item) && item.range ? [[item.range[0], item.range[1]] as const] : [],
  );
  return ranges.length === items.items.length ? ranges : undefined;
}

const lineCount = (text: string): number => text.split("\n").length;
