import { Composer, CST, type Document, isScalar, Lexer, type Node, type Pair, Parser } from "yaml";
import { syntaxProblems, type YamlProblem } from "./yaml-problem.ts";

/** Some documents out of a text, and where in the text they begin. */
export interface YamlPart {
  readonly offset: number;
  readonly text: string;
  /** Brackets, dashes, names, values and the spaces between them; each costs microseconds and hundreds of bytes. Default: any number. */
  readonly maxWords?: number;
}

/** The syntax tree of one document; offsets count from the start of its part. */
export interface YamlTree {
  /** Repaired by guesses where there are problems; undefined when it was not worth a try. */
  readonly document?: Document.Parsed;
  readonly start: number;
  /** After all that belongs to it, its end marker included. */
  readonly end: number;
  readonly problems: readonly YamlProblem[];
}

/** Deeper documents are refused: the parser below would run out of stack, which nothing can catch. */
export const maxDepth = 64;

const options = { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false } as const;

/** Parses the documents of a part. Never throws. */
export function composeYaml(part: YamlPart): readonly YamlTree[] {
  const { text } = part;
  const trees: YamlTree[] = [];
  const composer = new Composer(options);
  const compose = (tokens: Iterable<CST.Token>): void => {
    for (const token of tokens) {
      const tooDeepAt = token.type === "document" ? offsetBelow(token, maxDepth) : undefined;
      if (tooDeepAt === undefined) {
        for (const document of composer.next(token)) trees.push(treeOf(document, text));
      } else {
        trees.push(tooDeep(tooDeepAt));
      }
    }
  };
  const refused = parse(part, compose);
  for (const document of composer.end(refused === undefined, text.length)) trees.push(treeOf(document, text));
  return refused === undefined ? trees : [...trees, refused];
}

/** Parses word by word, and stops where the rest would only cost time and memory: says why. */
function parse({ text, maxWords }: YamlPart, compose: (tokens: Iterable<CST.Token>) => void): YamlTree | undefined {
  const parser = new Parser();
  let words = 0;
  for (const word of new Lexer().lex(text)) {
    compose(parser.next(word));
    // What is open, the document itself first.
    const beyond = parser.stack[maxDepth + 1];
    if (beyond !== undefined && CST.isCollection(beyond)) return tooDeep(beyond.offset);
    words += 1;
    if (maxWords !== undefined && words > maxWords) return tooLarge(parser.offset, maxWords);
  }
  compose(parser.end());
  return undefined;
}

function treeOf(document: Document.Parsed | Document, text: string): YamlTree {
  const parsed = document as Document.Parsed;
  return {
    document: parsed,
    start: parsed.contents?.range[0] ?? parsed.range[0],
    end: parsed.range[2],
    problems: syntaxProblems([...parsed.errors, ...parsed.warnings], text),
  };
}

const refusedAt = (offset: number, message: string, hint: string): YamlTree => ({
  start: offset,
  end: offset,
  problems: [{ kind: "too-large", pointer: "", offset, message, hint }],
});

const tooDeep = (offset: number): YamlTree =>
  refusedAt(offset, `The document is nested more than ${maxDepth} levels deep.`, "Nest less.");

const tooLarge = (offset: number, maxWords: number): YamlTree =>
  refusedAt(offset, `The document has more than ${maxWords} words and signs.`, "Split it into several documents.");

/** Some place that is nested deeper than `limit`, if there is one; without recursion, because that may be deep. */
function offsetBelow(root: CST.Token, limit: number): number | undefined {
  const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > limit) return "offset" in token ? token.offset : 0;
    if (token.type === "document" && token.value) open.push({ token: token.value, depth: 1 });
    if (!CST.isCollection(token)) continue;
    for (const { key, value } of token.items) {
      if (key) open.push({ token: key, depth: depth + 1 });
      if (value) open.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
}

/** The name of a field; numbers and the like count as they are written. undefined for a key that is no plain value. */
export function keyName({ key }: Pair): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value ?? ""));
}

/** An unquoted `<<`, which Kubernetes reads as "with all fields of". */
export const isMergeKey = ({ key }: Pair): boolean => isScalar(key) && key.value === "<<" && key.type === "PLAIN";

/** Where a node starts in its part. */
export const nodeOffset = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0;
