import type { JsonPointer } from "./json-pointer.ts";
import { dataOf } from "./yaml-data.ts";
import { placeOf } from "./yaml-place.ts";
import { composeYaml, type YamlPart, type YamlTree } from "./yaml-tree.ts";

/** A place in a text; both counted from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Why a text, or one document of it, cannot be taken as data. */
export interface TextProblem extends TextPosition {
  readonly kind: "syntax" | "duplicate-key" | "too-large";
  /** Into the document; the empty pointer where the syntax does not tell. */
  readonly pointer: JsonPointer;
  readonly message: string;
  readonly hint?: string;
}

/** One document of a text. */
export interface TextDocument {
  /** Where its content starts. */
  readonly start: TextPosition;
  /** Its part of the text, with the marker and the comments before it, as offsets; the parts of all documents are the whole text. */
  readonly slice: TextSlice;
  /**
   * Plain data: null, booleans, numbers, strings, arrays and objects (parts named by an alias are shared). When there are
   * problems it is only what could be made out; good for saying which document it is, and for nothing else.
   */
  readonly value: unknown;
  /** Empty: `value` is all that the document says. At most `maxProblems`. */
  readonly problems: readonly TextProblem[];
  /**
   * Where a part of the document is: its value, or (`key`) the name of the field. A part that is not there is at its
   * nearest parent that is. Costs a parse when the syntax tree was given back to the memory in the meantime.
   */
  readonly locate: (pointer: JsonPointer, at?: "value" | "key") => TextPosition;
}

/** From `start` to before `end`, in UTF-16 units. */
export interface TextSlice {
  readonly start: number;
  readonly end: number;
}

/** Bounds of one text. Lengths are counted in UTF-16 units. */
export interface TextLimits {
  readonly maxLength: number;
  readonly maxDocuments: number;
  /** Of a document: what it is written with, not how long. Default: any number. */
  readonly maxWords?: number;
}

export const defaultTextLimits: TextLimits = { maxLength: 4 * 1024 * 1024, maxDocuments: 10_000 };

/** Problems of one document beyond this number are not listed. */
export const maxProblems = 20;

/** All documents of a text: see `readDocuments`. */
export const parseDocuments = (text: string, limits: TextLimits = defaultTextLimits): readonly TextDocument[] => [
  ...readDocuments(text, limits),
];

/**
 * Parses YAML 1.2 (and so JSON) with one or many documents; empty documents are left out. Each document stands alone:
 * a broken one does not touch the others. Keys must be unique texts; YAML 1.1 merge keys (`<<`) work as in
 * Kubernetes. Never throws: a text out of bounds is one document with a problem. A document is parsed when it is asked for.
 */
export function* readDocuments(
  text: string,
  limits: TextLimits = defaultTextLimits,
): Generator<TextDocument, undefined> {
  if (text.length > limits.maxLength) {
    const slice = { start: 0, end: text.length };
    yield refusedText(`The text is longer than ${limits.maxLength} characters.`, { line: 1, column: 1 }, slice);
    return;
  }
  const positionOf = positions(text);
  const { maxWords } = limits;
  let found = 0;
  let last: TextDocument | undefined;
  for (const [index, part] of partsOf(text).entries()) {
    const start = last?.slice.end ?? 0;
    // Empty ones count too, but for comments before the first: each is parsed.
    if (found >= limits.maxDocuments || index > limits.maxDocuments) {
      const message = `The text has more than ${limits.maxDocuments} documents; those from here on are left out.`;
      if (last !== undefined) yield last;
      yield refusedText(message, positionOf(part.offset), { start, end: text.length });
      return;
    }
    for (const document of documentsOf({ ...part, ...(maxWords !== undefined && { maxWords }) }, start, positionOf)) {
      if (last !== undefined) yield last;
      last = document;
      found++;
    }
  }
  // Comments that follow the last document are nobody else's.
  if (last !== undefined) yield { ...last, slice: { start: last.slice.start, end: text.length } };
}

const refusedText = (message: string, start: TextPosition, slice: TextSlice): TextDocument => ({
  start,
  slice,
  value: undefined,
  problems: [{ kind: "too-large", pointer: "", message, hint: "Split it into several files.", ...start }],
  locate: () => start,
});

/**
 * Cuts a text at its document markers. A line that starts with `---` is one wherever it stands, also inside quotes that
 * were never closed, so that one forgotten quote does not swallow the documents that follow.
 */
function partsOf(text: string): readonly YamlPart[] {
  const markers = [...text.matchAll(/^---(?=[ \t\r\n]|$)/gm)].map((match) => match.index);
  const starts = markers[0] === 0 ? markers : [0, ...markers];
  const parts = starts.map((offset, index) => ({ offset, text: text.slice(offset, starts[index + 1]) }));
  // Directives (`%YAML 1.2`) stand before the marker of their document.
  const directives = parts[0]?.text.startsWith("%") && parts[1] !== undefined;
  return directives ? [{ offset: 0, text: text.slice(0, starts[2]) }, ...parts.slice(2)] : parts;
}

/** `sliceStart`: where the document before them ended. */
function documentsOf(
  part: YamlPart,
  sliceStart: number,
  positionOf: (offset: number) => TextPosition,
): readonly TextDocument[] {
  const trees = composeYaml(part);
  // The trees are many times the size of the text: they stay while there is room, and are made again on demand.
  let kept = new WeakRef(trees);
  const treesAgain = () => {
    const found = kept.deref() ?? composeYaml(part);
    kept = new WeakRef(found);
    return found;
  };
  let start = sliceStart;
  return trees.flatMap((tree, index) => {
    const end = part.offset + (index === trees.length - 1 ? part.text.length : tree.end);
    const document = documentOf(tree, part, { start, end }, positionOf, () => treesAgain()[index]);
    if (document === undefined) return [];
    start = end;
    return [document];
  });
}

function documentOf(
  tree: YamlTree,
  part: YamlPart,
  slice: TextSlice,
  positionOf: (offset: number) => TextPosition,
  treeAgain: () => YamlTree | undefined,
): TextDocument | undefined {
  const at = (offset: number) => positionOf(part.offset + offset);
  const start = at(tree.start);
  const { data, problems } = dataOf(tree);
  const all = [...tree.problems, ...problems].map(
    ({ offset, ...problem }): TextProblem => ({ ...problem, ...at(offset) }),
  );
  if (data === null && all.length === 0) return undefined;
  return {
    start,
    slice,
    value: data,
    problems: firstOfEachLine(all).slice(0, maxProblems),
    locate: (pointer, what = "value") => {
      const again = pointer === "" ? undefined : treeAgain();
      return again === undefined ? start : at(placeOf(again, pointer, what));
    },
  };
}

/** One slip makes the parser stumble several times; only the first syntax problem of a line says something new. */
function firstOfEachLine(problems: readonly TextProblem[]): readonly TextProblem[] {
  const lines = new Set<number>();
  return problems.filter(({ kind, line }) => {
    if (kind !== "syntax") return true;
    const isFirst = !lines.has(line);
    lines.add(line);
    return isFirst;
  });
}

/** Lines and columns of offsets; the table of lines is made when the first one is asked for. */
function positions(text: string): (offset: number) => TextPosition {
  let starts: readonly number[] | undefined;
  return (offset) => {
    starts ??= [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: Math.max(0, offset - (starts[low] ?? 0)) + 1 };
  };
}
