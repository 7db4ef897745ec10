import { isDeepStrictEqual } from "node:util";
import {
  Composer,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  stringify,
  visit,
} from "yaml";
import { applySplices } from "./splices.ts";
import { dataOf } from "./yaml-data.ts";
import { parseDocuments } from "./yaml-document.ts";
import { plainStyle, styleOf } from "./yaml-layout.ts";
import { splicesOf } from "./yaml-splices.ts";
import { isMergeKey, keyName } from "./yaml-tree.ts";

/**
 * The text of one YAML document, changed so that it means `after`. What did not change stays as its author wrote it:
 * comments, quotes, order, layout. Aliases are written out where the text cannot be changed without.
 */
export function editYaml(text: string, after: unknown): string {
  const document = composed(text);
  const before = document === undefined ? null : meaningOf(document);
  if (isDeepStrictEqual(before, after)) return text;
  const ways = [
    () => document && spliced(text, document, before, after),
    () => document && writtenOut(text, document, before, after),
    () => stringify(after, plainStyle),
  ];
  for (const way of ways) {
    const edited = way();
    if (edited !== undefined && means(edited, after)) return edited;
  }
  // JSON is YAML, whatever odd texts the data has.
  return `${JSON.stringify(after, null, 2)}\n`;
}

const meaningOf = (document: Document.Parsed): unknown =>
  dataOf({ document, start: 0, end: document.range[2], problems: [] }).data;

function means(text: string, data: unknown): boolean {
  const [document, second] = parseDocuments(text);
  if (document === undefined) return data === null;
  return second === undefined && document.problems.length === 0 && isDeepStrictEqual(document.value, data);
}

function spliced(text: string, { contents }: Document.Parsed, before: unknown, after: unknown): string | undefined {
  const splices = splicesOf(text, contents, before, after);
  return splices === undefined ? undefined : applySplices(text, splices);
}

/** Aliases stand for one value in several places: without them each can be changed alone. The layout is not the author's then. */
function writtenOut(text: string, document: Document.Parsed, before: unknown, after: unknown): string | undefined {
  if (!hasAliases(document)) return undefined;
  const { step, indentSeq } = styleOf(text);
  writeOut(document, before);
  const plain = document.toString({ lineWidth: 0, indent: step, indentSeq });
  const again = composed(plain);
  return again === undefined ? undefined : spliced(plain, again, before, after);
}

/** The first document of a text that is not empty. */
function composed(text: string): Document.Parsed | undefined {
  const options = { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false, keepSourceTokens: true } as const;
  const composer = new Composer(options);
  for (const document of composer.compose(new Parser().parse(text), true, text.length)) {
    if (document.contents !== null && !(isScalar(document.contents) && document.contents.value === null))
      return document as Document.Parsed;
  }
  return undefined;
}

function hasAliases(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** Replaces aliases, and fields that are merged in, by what they stand for. */
function writeOut(document: Document, data: unknown): void {
  const written = (node: unknown, value: unknown): unknown => {
    if (isAlias(node)) {
      const made = document.createNode(value, { aliasDuplicateObjects: false });
      // Behind an object or a list there is no room for a comment: it goes before it.
      made.commentBefore = [node.commentBefore, node.comment].filter((comment) => comment).join("\n");
      return made;
    }
    if (isScalar(node) || isCollection(node)) delete node.anchor;
    if (isSeq(node)) {
      node.items = node.items.map((item, index) => written(item, (value as readonly unknown[])[index]));
    } else if (isMap(node)) {
      const fields = value as Readonly<Record<string, unknown>>;
      const own = new Set(node.items.filter((pair) => !isMergeKey(pair)).map(keyName));
      const merged = Object.keys(fields).filter((name) => !own.has(name));
      node.items = node.items.flatMap((pair): readonly Pair[] => {
        if (isMergeKey(pair)) return merged.splice(0).map((name) => document.createPair(name, fields[name]));
        pair.value = written(pair.value, fields[keyName(pair) ?? ""]);
        return [pair];
      });
    }
    return node;
  };
  document.contents = written(document.contents, data) as Node;
}
