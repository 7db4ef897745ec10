import { type CST, isScalar, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { matchLists } from "./match-lists.ts";
import { applySplices, type Splice } from "./splices.ts";
import { type Data, fieldChanges } from "./yaml-fields.ts";
import { columnOf, type Editing, inline, newLine, rangeOf } from "./yaml-layout.ts";

/** A field of an object, or an item of a list, between brackets. */
interface FlowEntry {
  /** What is between it and what comes before it. */
  readonly gap: string;
  /** From the comments above it to the end of its content. */
  readonly start: number;
  readonly end: number;
  /** What follows on its line, without the comma. */
  readonly behind: string;
  /** Where all of it ends. */
  readonly tail: number;
  readonly hasComma: boolean;
}

/** What is to stand between the brackets: an entry that was there, with changes, or a new text. */
type Piece = { readonly entry: number; readonly changes: readonly Splice[] } | { readonly text: string };

export function flowMapSplices(
  map: YAMLMap,
  before: Data,
  after: Data,
  editing: Editing,
): readonly Splice[] | undefined {
  const changes = fieldChanges(map, before, after);
  if (changes === undefined) return undefined;
  const kept = changes.fields.flatMap(({ pair, fate }, entry): readonly Extract<Piece, { entry: number }>[] => {
    if (fate === "removed") return [];
    return [{ entry, changes: fate === "merge" ? [] : pairChanges(pair, fate, editing) }];
  });
  if (kept.length === map.items.length && changes.added.length === 0) return kept.flatMap((piece) => piece.changes);
  const added = changes.added.map((name) => ({ text: `${inline(name, editing)}: ${inline(after[name], editing)}` }));
  return bracketed(map, map.items.map(pairEnd), [...kept, ...added], editing);
}

export function flowListSplices(
  list: YAMLSeq,
  before: readonly unknown[],
  after: readonly unknown[],
  editing: Editing,
): readonly Splice[] | undefined {
  const matches = matchLists(before, after);
  const pieces = after.map((value, index): Piece => {
    const entry = matches[index]?.from;
    return entry === undefined
      ? { text: inline(value, editing) }
      : { entry, changes: nodeChanges(list.items[entry], { before: before[entry], after: value }, editing) };
  });
  const isInPlace = before.length === after.length && matches.every(({ from }, index) => from === index);
  if (isInPlace) return pieces.flatMap((piece) => ("entry" in piece ? piece.changes : []));
  if (pieces.every((piece) => !("entry" in piece)) && list.items.length > 0) return undefined;
  const ends = list.items.map((item) => rangeOf(item)[1]);
  return bracketed(list, ends, pieces, editing);
}

interface Change {
  readonly before: unknown;
  readonly after: unknown;
}

function pairChanges(pair: Pair, change: Change, editing: Editing): readonly Splice[] {
  const [start, end] = rangeOf(pair.value);
  if (start < end) return nodeChanges(pair.value, change, editing);
  if (change.after === null) return [];
  const [keyStart, keyEnd] = rangeOf(pair.key);
  const text = `${editing.text.slice(keyStart, keyEnd)}: ${inline(change.after, editing)}`;
  return [{ start: keyStart, end: pairEnd(pair), text }];
}

function nodeChanges(node: unknown, { before, after }: Change, editing: Editing): readonly Splice[] {
  const changes = editing.changesOf(node, before, after, editing);
  if (changes !== undefined) return changes;
  const [start, end] = rangeOf(node);
  return [{ start, end, text: inline(after, editing, isScalar(node) ? node : undefined) }];
}

function pairEnd({ key, value, srcToken }: Pair): number {
  const colons = (srcToken?.sep ?? []).filter(({ type }) => type === "map-value-ind");
  return Math.max(rangeOf(key)[1], rangeOf(value)[1], ...colons.map(({ offset }) => offset + 1));
}

/** What stands between the brackets written anew, each entry with its own lines and comments. */
function bracketed(
  node: YAMLMap | YAMLSeq,
  ends: readonly number[],
  pieces: readonly Piece[],
  editing: Editing,
): readonly Splice[] | undefined {
  const { text, style } = editing;
  const [start, end] = rangeOf(node);
  const entries = entriesOf(node, ends, editing);
  if (entries === undefined) return undefined;
  const [first, second] = entries;
  const last = entries.at(-1);
  const pad = style.padding ? " " : "";
  const apart = second?.gap ?? (first?.gap.includes("\n") ? first.gap : " ");
  const line = newLine(columnOf(first?.start ?? start + 1, editing), editing);
  const parts: string[] = [];
  let isInComment = false;
  for (const [index, piece] of pieces.entries()) {
    const entry = "entry" in piece ? entries[piece.entry] : undefined;
    const content = "entry" in piece ? (entry ? applySplices(text, piece.changes, entry) : "") : piece.text;
    const ownGap = entry === first ? undefined : entry?.gap;
    const gap = index === 0 ? (first?.gap ?? pad) : (ownGap ?? apart);
    const needsLine = isInComment || (index > 0 && content.startsWith("#"));
    const comma = index < pieces.length - 1 || last?.hasComma ? "," : "";
    const behind = entry?.behind ?? "";
    parts.push(needsLine && !gap.includes("\n") ? line : gap, content, comma, behind);
    isInComment = behind.includes("#");
  }
  const rest = last === undefined ? pad : text.slice(last.tail, end - 1);
  const closing = isInComment && !rest.includes("\n") ? line : rest;
  return [{ start: start + 1, end: end - 1, text: [...parts, closing].join("") }];
}

function entriesOf(
  { items, srcToken }: YAMLMap | YAMLSeq,
  ends: readonly number[],
  { text }: Editing,
): readonly FlowEntry[] | undefined {
  if (srcToken?.type !== "flow-collection") return undefined;
  let tail = srcToken.offset + 1;
  return items.map((_, index): FlowEntry => {
    const before = tail;
    const start = before + text.slice(before).search(/\S/);
    const end = ends[index] ?? start;
    const comma = commaOf(srcToken.items[index + 1]);
    const after = comma === undefined ? end : comma + 1;
    tail = after + (/^[ \t]+#[^\r\n]*/.exec(text.slice(after))?.[0].length ?? 0);
    const behind = `${text.slice(end, comma ?? end)}${text.slice(after, tail)}`.trimEnd();
    return { gap: text.slice(before, start), start, end, behind, tail, hasComma: comma !== undefined };
  });
}

const commaOf = (item: CST.FlowCollection["items"][number] | undefined): number | undefined =>
  item?.start.find(({ type }) => type === "comma")?.offset;
