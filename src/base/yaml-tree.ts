import { Composer, CST, type Document, isScalar, type Node, type Pair, Parser, type YAMLError } from "yaml";
import type { JsonPointer } from "./json-pointer.ts";

/** Some documents out of a text, and where in the text they begin. */
export interface YamlPart {
  readonly offset: number;
  readonly text: string;
}

/** A problem at an offset into its part. */
export interface YamlProblem {
  readonly kind: "syntax" | "duplicate-key" | "too-large";
  readonly pointer: JsonPointer;
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** The syntax tree of one document; offsets count from the start of its part. */
export interface YamlTree {
  /** Repaired by guesses where there are problems; undefined when it was not worth a try. */
  readonly document?: Document.Parsed;
  readonly start: number;
  readonly problems: readonly YamlProblem[];
}

/** Deeper documents are refused: the parser below would run out of stack, which nothing can catch. */
export const maxDepth = 64;

const options = { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false } as const;

/** Parses the documents of a part. Never throws. */
export function composeYaml({ text }: YamlPart): readonly YamlTree[] {
  const trees: YamlTree[] = [];
  const composer = new Composer(options);
  for (const token of new Parser().parse(text)) {
    const tooDeepAt = token.type === "document" ? offsetBelow(token, maxDepth) : undefined;
    if (tooDeepAt === undefined) {
      for (const document of composer.next(token)) trees.push(treeOf(document, text));
    } else {
      trees.push(tooDeep(tooDeepAt));
    }
  }
  for (const document of composer.end(true, text.length)) trees.push(treeOf(document, text));
  return trees;
}

function treeOf(document: Document.Parsed | Document, text: string): YamlTree {
  const parsed = document as Document.Parsed;
  const errors = [...parsed.errors, ...parsed.warnings];
  // A bracket too many ends the document for the parser, which then refuses every word that follows.
  const firstStray = errors.find(({ message }) => stray.test(message));
  const worthTelling = errors.filter((error) => error === firstStray || !stray.test(error.message));
  return {
    document: parsed,
    start: parsed.contents?.range[0] ?? parsed.range[0],
    problems: worthTelling.map((error) => syntaxProblem(error, text)),
  };
}

const tooDeep = (offset: number): YamlTree => ({
  start: offset,
  problems: [
    {
      kind: "too-large",
      pointer: "",
      offset,
      message: `The document is nested more than ${maxDepth} levels deep.`,
      hint: "Nest less.",
    },
  ],
});

const stray = /in YAML stream/;

interface Explanation {
  /** What the parser says. */
  readonly says: RegExp;
  readonly means: string;
  readonly hint: string;
  /** What was opened and not closed: noticed only where something else begins, so its own place is told. */
  readonly open?: string;
}

const sameColumn = "Fields of one object and items of one list start at the same column.";

/** The parser's words for the commonest slips, in words for people. */
const explanations: readonly Explanation[] = [
  { says: /closing "quote/, means: 'a " is not closed', hint: 'Close the text with "', open: '"' },
  { says: /closing 'quote/, means: "a ' is not closed", hint: "Close the text with '", open: "'" },
  { says: /end with a \]/, means: "a [ is not closed", hint: "Close the list with ]", open: "[" },
  { says: /end with a }/, means: "a { is not closed", hint: "Close the object with }", open: "{" },
  { says: /^Tabs/, means: "a tab stands where spaces are expected", hint: "Indent with spaces." },
  { says: /^All (mapping|sequence) items/, means: "the indentation is not that of the lines around", hint: sameColumn },
  { says: /^A block sequence/, means: "an item of a list stands where a field is expected", hint: sameColumn },
  {
    says: /^Implicit (map )?keys/,
    means: "a field has no colon",
    hint: "After the name of a field come a colon and a space.",
  },
  {
    says: /^Nested mappings/,
    means: "a second field begins on the same line",
    hint: "Put the text in quotes if it contains a colon and a space.",
  },
  {
    says: /^Plain value cannot start/,
    means: "a text starts with a special character",
    hint: "Put the text in quotes.",
  },
  {
    says: /^Unresolved tag/,
    means: "there is an unknown tag",
    hint: "Leave out the word that starts with an exclamation mark.",
  },
];

const lookAround = "Look here and at the line above for a missing bracket, comma, colon or quote.";

function syntaxProblem({ message, pos: [offset] }: YAMLError, text: string): YamlProblem {
  const { means = message, hint = lookAround, open } = explanations.find(({ says }) => says.test(message)) ?? {};
  return {
    kind: "syntax",
    pointer: "",
    offset: open === undefined ? offset : Math.max(0, text.lastIndexOf(open, offset)),
    message: `The YAML is broken: ${means}.`,
    hint,
  };
}

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
