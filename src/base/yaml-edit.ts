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
  Parser,
  stringify,
  visit,
} from "yaml";
import { parseDocuments } from "./yaml-document.ts";
import { styleOf } from "./yaml-layout.ts";
import { applySplices, splicesOf } from "./yaml-splices.ts";
import { isMergeKey, keyName } from "./yaml-tree.ts";

/**
 * The text of one YAML document, changed so that it means `after` instead of `before`. What did not change stays as its author
 * wrote it: comments, quotes, order, layout. Aliases are written out, where something changes at all.
 */
export function editYaml(text: string, before: unknown, after: unknown): string {
  if (isDeepStrictEqual(before, after)) return text;
  const ways = [() => spliced(text, before, after), () => stringify(after, plainStyle)];
  for (const way of ways) {
    const edited = way();
    if (edited !== undefined && means(edited, after)) return edited;
  }
  // JSON is YAML, whatever odd texts the data has.
  return `${JSON.stringify(after, null, 2)}\n`;
}

const plainStyle = { lineWidth: 0, aliasDuplicateObjects: false } as const;

function means(text: string, data: unknown): boolean {
  const [document, second] = parseDocuments(text);
  if (document === undefined) return data === null;
  return second === undefined && document.problems.length === 0 && isDeepStrictEqual(document.value, data);
}

function spliced(text: string, before: unknown, after: unknown): string | undefined {
  const document = composed(text);
  if (document === undefined) return undefined;
  if (!hasAliases(document)) return withSplices(text, document, before, after);
  const { step, indentSeq } = styleOf(text);
  writeOut(document, before);
  const plain = document.toString({ lineWidth: 0, indent: step, indentSeq });
  const again = composed(plain);
  return again === undefined ? undefined : withSplices(plain, again, before, after);
}

function withSplices(text: string, { contents }: Document.Parsed, before: unknown, after: unknown): string | undefined {
  const splices = contents === null ? undefined : splicesOf(text, contents, before, after);
  return splices === undefined ? undefined : applySplices(text, splices);
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
    Pair: (_, pair) => {
      if (!isMergeKey(pair)) return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** Replaces aliases, and objects that merge others in, by what they stand for. */
function writeOut(document: Document, data: unknown): void {
  const written = (node: unknown, value: unknown): unknown => {
    if (isAlias(node) || (isMap(node) && node.items.some(isMergeKey))) {
      const made = document.createNode(value, { aliasDuplicateObjects: false });
      // Behind an object or a list there is no room for a comment: it goes before it.
      made.commentBefore = [node.commentBefore, node.comment].filter((comment) => comment).join("\n");
      return made;
    }
    if (isScalar(node) || isCollection(node)) delete node.anchor;
    if (isSeq(node)) {
      node.items = node.items.map((item, index) => written(item, (value as readonly unknown[])[index]));
    } else if (isMap(node)) {
      for (const pair of node.items)
        pair.value = written(pair.value, (value as Record<string, unknown>)[keyName(pair) ?? ""]);
    }
    return node;
  };
  document.contents = written(document.contents, data) as Node;
}
