import { type CST, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { matchLists } from "./match-lists.ts";
import { applySplices, type Splice } from "./splices.ts";
import { type Data, fieldChanges } from "./yaml-fields.ts";
import {
  asItem,
  asValue,
  columnOf,
  type Editing,
  inline,
  isEmpty,
  lineEndOf,
  lineStartOf,
  newLine,
  rangeOf,
} from "./yaml-layout.ts";

/** A field of an object, or an item of a list, as lines of text. */
interface Entry {
  /** Of its name, or of its dash. */
  readonly start: number;
  /** After its colon, or its dash. */
  readonly value: number;
  /** After its last character that is not a comment or space. */
  readonly end: number;
  readonly node: unknown;
  /** Its value as lines, as they follow the colon or the dash. */
  readonly lines: (value: unknown, comments: string) => string;
}

export function blockMapSplices(
  map: YAMLMap,
  before: Data,
  after: Data,
  editing: Editing,
): readonly Splice[] | undefined {
  const changes = fieldChanges(map, before, after);
  if (changes === undefined) return undefined;
  const fields = changes.fields.map(({ pair, fate }) => ({ fate, entry: pairEntry(pair, editing) }));
  const last = fields.findLast(({ fate }) => fate !== "removed")?.entry;
  if (last === undefined) return undefined;
  const column = columnOf(last.start, editing);
  return [
    ...deletions(
      fields.map(({ entry }) => entry),
      (index) => fields[index]?.fate !== "removed",
      editing,
    ),
    ...fields.flatMap(({ entry, fate }) => (typeof fate === "object" ? valueChanges(entry, fate, editing) : [])),
    ...changes.added.map((name) =>
      insertionAfter(last, `${inline(name, editing)}:${asValue(after[name], column, editing)}`, column, editing),
    ),
  ];
}

export function blockListSplices(
  list: YAMLSeq,
  before: readonly unknown[],
  after: readonly unknown[],
  editing: Editing,
): readonly Splice[] | undefined {
  const entries = dashesOf(list).map((dash, index) => itemEntry(list.items[index], dash, editing));
  const matches = matchLists(before, after);
  const staying = new Set(matches.flatMap(({ from, stays }) => (stays && from !== undefined ? [from] : [])));
  const firstStaying = entries.findIndex((_, index) => staying.has(index));
  const [first, next] = [entries[0], entries[firstStaying]];
  if (first === undefined || next === undefined || entries.length !== list.items.length) return undefined;
  const column = columnOf(first.start, editing);
  let previous: Entry | undefined;
  const placed = after.flatMap((value, index): readonly Splice[] => {
    const { from = -1, stays = false } = matches[index] ?? {};
    const entry = entries[from];
    const changes = entry === undefined ? [] : valueChanges(entry, { before: before[from], after: value }, editing);
    if (stays) {
      previous = entry;
      return changes;
    }
    const content =
      entry === undefined
        ? `- ${asItem(value, column, editing)}`
        : applySplices(editing.text, changes, { start: leadOf(entry, editing), end: lineEndOf(entry.end, editing) });
    return [
      previous === undefined
        ? insertionBefore(first, next, content, editing)
        : insertionAfter(previous, content, column, editing),
    ];
  });
  return [...deletions(entries, (index) => staying.has(index), editing), ...placed];
}

/* Where entries are */

function pairEntry({ key, value }: Pair, editing: Editing): Entry {
  const [start, keyEnd] = rangeOf(key);
  const after = editing.text.indexOf(":", keyEnd) + 1;
  return {
    start,
    value: after,
    end: contentEnd(value, after, editing),
    node: value,
    lines: (data, comments) => `${comments}${asValue(data, columnOf(start, editing), editing)}`,
  };
}

function itemEntry(node: unknown, start: number, editing: Editing): Entry {
  const column = columnOf(start, editing);
  return {
    start,
    value: start + 1,
    end: contentEnd(node, start + 1, editing),
    node,
    lines: (data, comments) =>
      `${comments}${comments === "" ? " " : newLine(column + 2, editing)}${asItem(data, column, editing)}`,
  };
}

const dashesOf = (list: YAMLSeq): readonly number[] =>
  list.srcToken?.type === "block-seq"
    ? list.srcToken.items.flatMap(({ start }: CST.BlockSequence["items"][number]) =>
        start.filter(({ type }) => type === "seq-item-ind").map(({ offset }) => offset),
      )
    : [];

/** Where the content of a node ends; `otherwise` for one without any text. */
function contentEnd(node: unknown, otherwise: number, editing: Editing): number {
  const [start, end] = rangeOf(node);
  if (start >= end) return otherwise;
  const last = lastEntry(node, editing);
  if (last !== undefined) return last.end;
  const text = editing.text.slice(start, end);
  // All empty lines at its end are part of such a text.
  return start + (keepsEmptyLines(node, editing) ? text.replace(/\r?\n$/, "") : text.trimEnd()).length;
}

function lastEntry(node: unknown, editing: Editing): Entry | undefined {
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1);
    return last && pairEntry(last, editing);
  }
  if (!isSeq(node) || node.flow) return undefined;
  const dash = dashesOf(node).at(-1);
  return dash === undefined ? undefined : itemEntry(node.items.at(-1), dash, editing);
}

/** Ends with a text like `|+`. */
function keepsEmptyLines(node: unknown, editing: Editing): boolean {
  const last = lastEntry(node, editing);
  if (last !== undefined) return keepsEmptyLines(last.node, editing);
  return isBlockText(node) && /^[|>][1-9]?\+/.test(editing.text.slice(...rangeOf(node)));
}

const isBlockText = (node: unknown): boolean =>
  isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");

const isBlock = (node: unknown): boolean => isBlockText(node) || ((isMap(node) || isSeq(node)) && !node.flow);

/** Where the lines of an entry begin, with the comments right above it; undefined when it does not begin its line. */
function topOf({ start }: Entry, { text }: Editing): number | undefined {
  const lineStart = lineStartOf(start, text);
  const indent = text.slice(lineStart, start);
  if (indent.trim() !== "") return undefined;
  let top = lineStart;
  while (top > 0 && text.startsWith(`${indent}#`, lineStartOf(top - 1, text))) top = lineStartOf(top - 1, text);
  return top;
}

/** Where an entry itself begins, or the comments right above it. */
function leadOf(entry: Entry, editing: Editing): number {
  const top = topOf(entry, editing);
  return top === undefined ? entry.start : top + columnOf(entry.start, editing);
}

/* Values */

function valueChanges(
  entry: Entry,
  { before, after }: { readonly before: unknown; readonly after: unknown },
  editing: Editing,
): readonly Splice[] {
  const changes = editing.changesOf(entry.node, before, after, editing);
  if (changes !== undefined) return changes;
  const [start, end] = rangeOf(entry.node);
  const like = isScalar(entry.node) ? entry.node : undefined;
  if (isEmpty(after) && start < end && !isBlock(entry.node)) {
    return [{ start, end, text: inline(after, editing, like) }];
  }
  const comments = commentsOf(entry, editing);
  const text = isEmpty(after) ? ` ${inline(after, editing)}${comments}` : entry.lines(after, comments);
  return [{ start: entry.value, end: lineEndOf(entry.end, editing), text }];
}

/** The comments that stay when a value goes: behind the name or the dash, and behind a value that is no lines of its own. */
function commentsOf({ value, end, node }: Entry, editing: Editing): string {
  const lineEnd = lineEndOf(value, editing);
  const [start, nodeEnd] = rangeOf(node);
  const isBelow = start < nodeEnd && (start >= lineEnd || isBlockText(node));
  const above = isBelow ? editing.text.slice(value, lineEnd) : "";
  const behind = isBlock(node) ? "" : editing.text.slice(end, lineEndOf(end, editing));
  return [above, behind].map((text) => /[ \t]+#.*$/.exec(text)?.[0] ?? "").join("");
}

/* Lines that go and come */

function deletions(entries: readonly Entry[], stays: (index: number) => boolean, editing: Editing): readonly Splice[] {
  const first = entries[0];
  const firstStaying = entries.findIndex((_, index) => stays(index));
  const lastGone = entries[firstStaying - 1];
  // After a dash on the same line the next entry moves up, with its comments.
  const isMovingUp = first !== undefined && lastGone !== undefined && topOf(first, editing) === undefined;
  const above = isMovingUp
    ? [{ start: first.start, end: nextWord(lineEndOf(lastGone.end, editing), editing), text: "" }]
    : [];
  return [
    ...above,
    ...entries.flatMap((entry, index) =>
      stays(index) || (isMovingUp && index < firstStaying) ? [] : [deletion(entry, entries[index - 1], editing)],
    ),
  ];
}

/** Takes the comments with it that stand right above it, but not those at the head of the text. */
function deletion(entry: Entry, previous: Entry | undefined, editing: Editing): Splice {
  const { text } = editing;
  const top = topOf(entry, editing) ?? entry.start;
  const isHead = /^(---.*\r?\n)?$/.test(text.slice(0, top));
  const start = isHead ? lineStartOf(entry.start, text) : top;
  const end = lineEndOf(entry.end, editing);
  // Its last line end stays for the line before it, where there is one: new lines may come there.
  if (start === 0) return { start, end: text.indexOf("\n", end) + 1 || text.length, text: "" };
  // Empty lines that come next to a text that keeps them would become part of it.
  const isOpen = previous !== undefined && keepsEmptyLines(previous.node, editing);
  const empty = isOpen ? (/^(\r?\n[ \t]*(?=\r?\n))*/.exec(text.slice(end))?.[0].length ?? 0) : 0;
  return { start: lineEndOf(lineStartOf(start, text) - 1, editing), end: end + empty, text: "" };
}

const nextWord = (offset: number, { text }: Editing): number => offset + text.slice(offset).search(/\S|$/);

function insertionBefore(first: Entry, next: Entry, content: string, editing: Editing): Splice {
  const column = columnOf(first.start, editing);
  const top = topOf(first, editing) === undefined ? undefined : topOf(next, editing);
  return top === undefined
    ? { start: first.start, end: first.start, text: `${content}${newLine(column, editing)}` }
    : { start: top, end: top, text: `${" ".repeat(column)}${content}${editing.style.lineEnd}` };
}

function insertionAfter({ end }: Entry, content: string, column: number, editing: Editing): Splice {
  const at = lineEndOf(end, editing);
  return { start: at, end: at, text: `${newLine(column, editing)}${content}` };
}
