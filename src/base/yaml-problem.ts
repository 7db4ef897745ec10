import type { YAMLError } from "yaml";
import type { JsonPointer } from "./json-pointer.ts";

/** A problem at an offset into its part. */
export interface YamlProblem {
  readonly kind: "syntax" | "duplicate-key" | "too-large";
  readonly pointer: JsonPointer;
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

const stray = /in YAML stream/;

/** No person reads more; and a text of nothing but mistakes has one for every character. */
const maxTold = 200;

/** What the parser says, as problems. */
export function syntaxProblems(errors: readonly YAMLError[], text: string): readonly YamlProblem[] {
  // A bracket too many ends the document for the parser, which then refuses every word that follows.
  const firstStray = errors.find(({ message }) => stray.test(message));
  return errors
    .filter((error) => error === firstStray || !stray.test(error.message))
    .slice(0, maxTold)
    .map((error) => syntaxProblem(error, text));
}

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
  { says: stray, means: "there is a closing bracket too many", hint: "Remove it, or open it where it belongs." },
  { says: /at node end$/, means: "text follows after the end of a value", hint: "Put the whole text in quotes." },
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
