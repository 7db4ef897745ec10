import { isDeepStrictEqual } from "node:util";
import { type CST, isMap, isScalar, isSeq, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { alignLists } from "./align-lists.ts";
import {
  asItem,
  asValue,
  columnOf,
  type Editing,
  inline,
  isEmpty,
  lineStartOf,
  newLine,
  rangeOf,
  styleOf,
} from "./yaml-layout.ts";
import { keyName } from "./yaml-tree.ts";

/** Replaces the text from `start` to before `end`. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Splices do not overlap; those at the same place come in the order of the list. */
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
    at = splice.end;
  }
  return [...parts, text.slice(at, end)].join("");
}

/**
 * What to change in a text so that the node means `after` instead of `before`; undefined when the node has to be written anew.
 * It knows the usual ways to write YAML; the caller checks that the result means what it should.
 */
export function splicesOf(text: string, node: unknown, before: unknown, after: unknown): readonly Splice[] | undefined {
  return changesOf(node, before, after, { text, style: styleOf(text) });
}

type Data = Readonly<Record<string, unknown>>;

function changesOf(node: unknown, before: unknown, after: unknown, editing: Editing): readonly Splice[] | undefined {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMap(node) && isData(before) && isData(after)) {
    return node.flow ? flowMapChanges(node, before, after, editing) : blockMapChanges(node, before, after, editing);
  }
  if (isSeq(node) && Array.isArray(before) && Array.isArray(after)) {
    return node.flow ? flowListChanges(node, before, after, editing) : blockListChanges(node, before, after, editing);
  }
  return undefined;
}

const isData = (value: unknown): value is Data => typeof value === "object" && value !== null && !Array.isArray(value);

/* Blocks */

/** A field of an object, or an item of a list, as lines of text. */
interface Entry {
  /** Of its name, or of its dash. */
  readonly start: number;
  /** After its last character that is not a comment or space. */
  readonly end: number;
}

function blockMapChanges(map: YAMLMap, before: Data, after: Data, editing: Editing): readonly Splice[] | undefined {
  const pairs = map.items.map((pair) => ({ pair, name: keyName(pair) ?? "", entry: pairEntry(pair, editing) }));
  const kept = pairs.filter(({ name }) => Object.hasOwn(after, name));
  const last = kept.at(-1);
  if (last === undefined) return undefined;
  const column = columnOf(last.entry.start, editing);
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  return [
    ...pairs.flatMap(({ pair, name, entry }, index) =>
      Object.hasOwn(after, name)
        ? pairChanges(pair, entry, [before[name], after[name]], editing)
        : [deletion(entry, pairs[index + 1]?.entry, editing)],
    ),
    ...added.map((name) =>
      insertionAfter(last.entry, `${inline(name, editing)}:${asValue(after[name], column, editing)}`, editing),
    ),
  ];
}

function pairChanges(
  pair: Pair,
  entry: Entry,
  [before, after]: readonly [unknown, unknown],
  editing: Editing,
): readonly Splice[] {
  const changes = changesOf(pair.value, before, after, editing) ?? inlineChange(pair.value, after, editing);
  if (changes !== undefined) return changes;
  const name = editing.text.slice(...rangeOf(pair.key));
  return [{ ...entry, text: `${name}:${asValue(after, columnOf(entry.start, editing), editing)}` }];
}

function blockListChanges(
  list: YAMLSeq,
  before: readonly unknown[],
  after: readonly unknown[],
  editing: Editing,
): readonly Splice[] | undefined {
  const dashes = dashesOf(list);
  if (after.length === 0 || dashes.length !== list.items.length) return undefined;
  const entries = list.items.map((item, index): Entry => {
    const start = dashes[index] ?? 0;
    return { start, end: contentEnd(item, start + 1, editing) };
  });
  const [first] = entries;
  if (first === undefined) return undefined;
  const column = columnOf(first.start, editing);
  let previous: Entry | undefined;
  return alignLists(before, after, isDeepStrictEqual).flatMap((step): readonly Splice[] => {
    if (step.kind === "same") {
      previous = entries[step.before];
      return [];
    }
    const splices: Splice[] = [];
    for (const [k, index] of step.before.entries()) {
      const entry = entries[index] ?? first;
      const target = step.after[k];
      if (target === undefined) {
        splices.push(deletion(entry, entries[index + 1], editing));
      } else {
        splices.push(...itemChanges(list.items[index], entry, [before[index], after[target]], editing));
        previous = entry;
      }
    }
    for (const target of step.after.slice(step.before.length)) {
      const item = asItem(after[target], column, editing);
      splices.push(
        previous === undefined
          ? insertionBefore(first, item, editing)
          : insertionAfter(previous, item, editing, column),
      );
    }
    return splices;
  });
}

function itemChanges(
  node: unknown,
  entry: Entry,
  [before, after]: readonly [unknown, unknown],
  editing: Editing,
): readonly Splice[] {
  const changes = changesOf(node, before, after, editing) ?? inlineChange(node, after, editing);
  return changes ?? [{ ...entry, text: asItem(after, columnOf(entry.start, editing), editing) }];
}

const dashesOf = (list: YAMLSeq): readonly number[] =>
  list.srcToken?.type === "block-seq"
    ? list.srcToken.items.flatMap(({ start }: CST.BlockSequence["items"][number]) =>
        start.filter(({ type }) => type === "seq-item-ind").map(({ offset }) => offset),
      )
    : [];

/** A scalar, or something in brackets, that stays on its line. */
function inlineChange(node: unknown, after: unknown, editing: Editing): readonly Splice[] | undefined {
  const [start, end] = rangeOf(node);
  if (!isEmpty(after) || start >= end || isBlock(node)) return undefined;
  return [{ start, end, text: inline(after, editing, isScalar(node) ? node : undefined) }];
}

function pairEntry({ key, value }: Pair, editing: Editing): Entry {
  const [start, keyEnd] = rangeOf(key);
  return { start, end: contentEnd(value, editing.text.indexOf(":", keyEnd) + 1, editing) };
}

/** Where the content of a node ends; `otherwise` for one without any text. */
function contentEnd(node: unknown, otherwise: number, editing: Editing): number {
  const [start, end] = rangeOf(node);
  if (start >= end) return otherwise;
  if (isMap(node) && !node.flow) {
    const last = node.items.at(-1);
    return last === undefined ? otherwise : pairEntry(last, editing).end;
  }
  if (isSeq(node) && !node.flow) {
    const dash = dashesOf(node).at(-1);
    return dash === undefined ? otherwise : contentEnd(node.items.at(-1), dash + 1, editing);
  }
  return start + editing.text.slice(start, end).trimEnd().length;
}

function isBlock(node: unknown): boolean {
  if (isScalar(node)) return node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  return (isMap(node) || isSeq(node)) && !node.flow;
}

/** Takes the comments with it that stand right above it. */
function deletion({ start, end }: Entry, next: Entry | undefined, { text }: Editing): Splice {
  const top = topOf(start, text);
  // After a dash on the same line the next entry moves up.
  if (top === undefined) return { start, end: next?.start ?? end, text: "" };
  const newline = text.indexOf("\n", end);
  return { start: top, end: newline < 0 ? text.length : newline + 1, text: "" };
}

/** Where the lines of an entry begin, with the comments right above it; undefined when it does not begin its line. */
function topOf(start: number, text: string): number | undefined {
  const lineStart = lineStartOf(start, text);
  const indent = text.slice(lineStart, start);
  if (indent.trim() !== "") return undefined;
  let top = lineStart;
  while (top > 0 && text.startsWith(`${indent}#`, lineStartOf(top - 1, text))) top = lineStartOf(top - 1, text);
  return top;
}

function insertionBefore({ start }: Entry, content: string, editing: Editing): Splice {
  const top = topOf(start, editing.text);
  const at = top ?? start;
  const column = columnOf(start, editing);
  const indented =
    top === undefined
      ? `${content}${newLine(column, editing)}`
      : `${" ".repeat(column)}${content}${editing.style.lineEnd}`;
  return { start: at, end: at, text: indented };
}

function insertionAfter(
  entry: Entry,
  content: string,
  editing: Editing,
  column = columnOf(entry.start, editing),
): Splice {
  const { text } = editing;
  const newline = text.indexOf("\n", entry.end);
  const at = newline < 0 ? text.length : newline - Number(text[newline - 1] === "\r");
  return { start: at, end: at, text: `${newLine(column, editing)}${content}` };
}

/* Between brackets */

function flowMapChanges(map: YAMLMap, before: Data, after: Data, editing: Editing): readonly Splice[] {
  const sameNames = Object.keys(before).length === Object.keys(after).length;
  const pairs = map.items.map((pair) => ({ pair, name: keyName(pair) ?? "" }));
  const kept = pairs.filter(({ name }) => Object.hasOwn(after, name));
  const changes = kept.map(({ pair, name }) => flowPairChanges(pair, [before[name], after[name]], editing));
  if (sameNames && kept.length === pairs.length) return changes.flat();
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  return bracketed(map, "{}", editing, [
    ...kept.map(({ pair }, index) => pieceOf([rangeOf(pair.key)[0], flowPairEnd(pair)], changes[index] ?? [], editing)),
    ...added.map((name) => `${inline(name, editing)}: ${inline(after[name], editing)}`),
  ]);
}

const flowPairEnd = ({ key, value }: Pair): number => Math.max(rangeOf(key)[1], rangeOf(value)[1]);

function flowPairChanges(
  pair: Pair,
  [before, after]: readonly [unknown, unknown],
  editing: Editing,
): readonly Splice[] {
  const [start, end] = rangeOf(pair.value);
  if (start < end) return flowItemChanges(pair.value, [before, after], editing);
  if (isDeepStrictEqual(before, after)) return [];
  const [keyStart, keyEnd] = rangeOf(pair.key);
  const text = `${editing.text.slice(keyStart, keyEnd)}: ${inline(after, editing)}`;
  return [{ start: keyStart, end: flowPairEnd(pair), text }];
}

function flowItemChanges(
  node: unknown,
  [before, after]: readonly [unknown, unknown],
  editing: Editing,
): readonly Splice[] {
  const changes = changesOf(node, before, after, editing);
  if (changes !== undefined) return changes;
  const [start, end] = rangeOf(node);
  return [{ start, end, text: inline(after, editing, isScalar(node) ? node : undefined) }];
}

function flowListChanges(
  list: YAMLSeq,
  before: readonly unknown[],
  after: readonly unknown[],
  editing: Editing,
): readonly Splice[] {
  if (before.length === after.length) {
    return list.items.flatMap((item, index) => flowItemChanges(item, [before[index], after[index]], editing));
  }
  const piece = (index: number, target: number) =>
    pieceOf(
      rangeOf(list.items[index]),
      flowItemChanges(list.items[index], [before[index], after[target]], editing),
      editing,
    );
  const pieces = alignLists(before, after, isDeepStrictEqual).flatMap((step) =>
    step.kind === "same"
      ? [piece(step.before, step.after)]
      : step.after.map((target, k) => {
          const index = step.before[k];
          return index === undefined ? inline(after[target], editing) : piece(index, target);
        }),
  );
  return bracketed(list, "[]", editing, pieces);
}

const pieceOf = ([start, end]: readonly [number, number], changes: readonly Splice[], { text }: Editing): string =>
  applySplices(text, changes, { start, end });

function bracketed(
  node: YAMLMap | YAMLSeq,
  brackets: "{}" | "[]",
  { text, style }: Editing,
  pieces: readonly string[],
): readonly Splice[] {
  const [start, end] = rangeOf(node);
  const isPadded = node.items.length === 0 ? style.padding : text[start + 1] === " ";
  const pad = isPadded && pieces.length > 0 ? " " : "";
  return [{ start, end, text: `${brackets[0]}${pad}${pieces.join(", ")}${pad}${brackets[1]}` }];
}
