import { isNode, type Scalar, stringify } from "yaml";
import type { Splice } from "./splices.ts";

/** How the author lays out a text. */
export interface YamlStyle {
  /** Spaces of one level. */
  readonly step: number;
  /** Do the items of a list stand further in than the field that has the list? */
  readonly indentSeq: boolean;
  /** Spaces inside of `{` and `[`. */
  readonly padding: boolean;
  readonly lineEnd: "\n" | "\r\n";
}

export function styleOf(text: string): YamlStyle {
  return {
    step: Math.min(8, /^( +)[^\s#]/m.exec(text)?.[1]?.length ?? 2),
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*\r?\n\1- /m.test(text),
    padding: /[[{] \S/.test(text),
    lineEnd: text.includes("\r\n") ? "\r\n" : "\n",
  };
}

/** A text that is changed, and how it is laid out. */
export interface Editing {
  readonly text: string;
  readonly style: YamlStyle;
  /** What to change so that a part means `after` instead of `before`; undefined when it has to be written anew. */
  readonly changesOf: (
    node: unknown,
    before: unknown,
    after: unknown,
    editing: Editing,
  ) => readonly Splice[] | undefined;
}

export const isEmpty = (value: unknown): boolean =>
  typeof value !== "object" || value === null || Object.keys(value).length === 0;

export const lineStartOf = (offset: number, text: string): number =>
  offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;

/** Where the line of an offset ends, before its line end. */
export function lineEndOf(offset: number, { text }: Editing): number {
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline - Number(text[newline - 1] === "\r");
}

export const columnOf = (offset: number, { text }: Editing): number => offset - lineStartOf(offset, text);

export const newLine = (column: number, { style }: Editing): string => `${style.lineEnd}${" ".repeat(column)}`;

/** What comes after the colon of a field that stands at a column. */
export function asValue(value: unknown, column: number, editing: Editing): string {
  if (isEmpty(value)) return ` ${inline(value, editing)}`;
  const { step, indentSeq } = editing.style;
  const inner = column + (Array.isArray(value) && !indentSeq ? 0 : step);
  return newLine(inner, editing) + lines(value, editing).join(newLine(inner, editing));
}

/** How data is written where its author did not say how. Texts such as `yes` are quoted: a reader of YAML 1.1 takes them for booleans. */
export const plainStyle = { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" } as const;

/** What comes after the dash and the space of an item whose dash stands at a column. */
export const asItem = (value: unknown, column: number, editing: Editing): string =>
  isEmpty(value) ? inline(value, editing) : lines(value, editing).join(newLine(column + 2, editing));

const lines = (value: unknown, { style: { step, indentSeq } }: Editing): readonly string[] =>
  stringify(value, { ...plainStyle, indent: step, indentSeq, blockQuote: false })
    .trimEnd()
    .split("\n");

/** Data on one line, valid between brackets too; `like`: whose quotes to take. */
export function inline(value: unknown, { style }: Editing, like?: Scalar): string {
  if (typeof value === "string" && like?.type === "QUOTE_DOUBLE") return JSON.stringify(value);
  if (typeof value === "string" && like?.type === "QUOTE_SINGLE" && /^[\x20-\x7e]*$/.test(value)) {
    return `'${value.replaceAll("'", "''")}'`;
  }
  const list = stringify([value], {
    collectionStyle: "flow",
    flowCollectionPadding: style.padding,
    ...plainStyle,
  });
  return list.trim().slice(1, -1).trim();
}

/** Start and end of a node's own text. */
export function rangeOf(node: unknown): readonly [number, number] {
  const range = isNode(node) ? node.range : undefined;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}
