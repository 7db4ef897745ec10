import { type ArgumentWords, type Command, type CommandRow, type Flag, isGroup } from "../command.ts";
import { kindWords } from "../kinds.ts";

/** What may stand in one place: these words, or what only the shell or the command itself knows. */
export type Words =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "contexts" };

/** A command with all that can follow it. */
export interface CompletedCommand {
  /** `get`, or `token create`. */
  readonly path: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
  /** Of the positional arguments in their order; the last one stands for those that follow. */
  readonly positional: readonly Words[];
}

export interface CompletedFlag {
  /** `-o` and `--output`. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Of its value; undefined: it takes none. */
  readonly value: Words | undefined;
}

/** The first words of all command lines, then what follows each. */
export interface CompletionTable {
  /** By what stands before: `` for the beginning, `token` for a group; name and summary. */
  readonly next: ReadonlyMap<string, readonly (readonly [string, string])[]>;
  readonly commands: readonly CompletedCommand[];
}

export function completionTable(rows: readonly CommandRow[]): CompletionTable {
  const next = new Map([["", rows.map(({ name, summary }) => [name, summary] as const)]]);
  const commands = rows.flatMap((row) => {
    if (!isGroup(row)) return [completed(row.name, row)];
    next.set(
      row.name,
      row.commands.map(({ name, summary }) => [name, summary] as const),
    );
    return row.commands.map((command) => completed(`${row.name} ${command.name}`, command));
  });
  return { next, commands };
}

function completed(path: string, { summary, flags, argumentWords, arguments: positional }: Command): CompletedCommand {
  const written = positional === undefined ? [] : positional.split(" ");
  const words = argumentWords ?? written.map((word): ArgumentWords => (/path|file/.test(word) ? "files" : []));
  return {
    path,
    summary,
    flags: [...flags.map(completedFlag), { names: ["-h", "--help"], summary: "show this help", value: undefined }],
    positional: words.map(wordsOf),
  };
}

function completedFlag({ flags, summary, choices }: Flag): CompletedFlag {
  const names = flags.split(/, | /).filter((word) => word.startsWith("-"));
  const argument = /<(.+)>/.exec(flags)?.[1];
  if (argument === undefined) return { names, summary, value: undefined };
  if (choices !== undefined) return { names, summary, value: { kind: "words", words: choices } };
  return { names, summary, value: names.includes("--context") ? { kind: "contexts" } : wordsOfValue(argument) };
}

const wordsOfValue = (argument: string): Words =>
  /^(path|file|dir)/.test(argument) ? { kind: "files" } : { kind: "words", words: [] };

function wordsOf(words: ArgumentWords): Words {
  if (words === "kinds") return { kind: "words", words: kindWords };
  return words === "files" || words === "contexts" ? { kind: words } : { kind: "words", words };
}
