/** 0: done. 1: the answer is "no" (findings, refused, not in sync). 2: wrong use, or not allowed (401, 403). 3: cannot reach the server. */
export type ExitCode = 0 | 1 | 2 | 3;

/** An option of a command. Its value is found under the camelCase of its long name. */
export interface Flag {
  /** As the help shows it: `--catalog <file...>`, `-o, --output <format>`. */
  readonly flags: string;
  readonly summary: string;
  readonly required?: boolean;
  /** It may be given several times, each time with one value. */
  readonly repeats?: boolean;
  /** The only values that are taken. */
  readonly choices?: readonly string[];
  /** Used when the flag is not given. */
  readonly default?: string;
}

export interface Example {
  readonly line: string;
  readonly summary: string;
}

/** What stands for a positional argument, as far as a shell can complete it. */
export type ArgumentWords = "kinds" | "contexts" | "files" | readonly string[];

/** One row of the table of commands. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What else there is to know, shown in the command's own help, whose lines are as long as the terminal is wide: a line end only after a sentence. */
  readonly details?: string;
  /** Positional arguments as the help shows them: `<path...>`, `[proxy]`. */
  readonly arguments?: string;
  /** Of the positional arguments in their order; the last one stands for those that follow. */
  readonly argumentWords?: readonly ArgumentWords[];
  readonly flags: readonly Flag[];
  /** At least one. */
  readonly examples: readonly Example[];
  readonly run: (input: CommandInput, io: CliIo) => Promise<ExitCode>;
}

/** Commands that belong together: `fairway token create`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly commands: readonly Command[];
}

export type CommandRow = Command | CommandGroup;

export const isGroup = (row: CommandRow): row is CommandGroup => "commands" in row;

/** What was given on the command line, as text. */
export interface CommandInput {
  readonly arguments: readonly string[];
  readonly flags: FlagValues;
}

/** By option name; a list for options that take several values, true for those that take none. */
export type FlagValues = Readonly<Record<string, string | readonly string[] | true | undefined>>;

/** The outside world of a command. */
export interface CliIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input; absent: there is none. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Is `out` a terminal, and how wide? */
  readonly terminal?: { readonly columns: number };
  /** Is `err` a terminal? Only there something may come and go. */
  readonly errTerminal?: boolean;
  readonly now: () => number;
  /** Aborted when the user wants the command to end (Ctrl-C). */
  readonly signal: AbortSignal;
  /** From here on Ctrl-C aborts this signal instead of ending the process: for commands that only Ctrl-C ends. */
  readonly hearInterrupt?: () => AbortSignal;
}

/** The values of an option that takes several; none when it was not given. */
export function flagValues(flags: FlagValues, name: string): readonly string[] {
  const value = flags[name];
  return value === undefined || value === true ? [] : typeof value === "string" ? [value] : value;
}

/** The value of an option that takes one; of several, the last. */
export const flagValue = (flags: FlagValues, name: string): string | undefined => flagValues(flags, name).at(-1);

/** Was an option given that takes no value? */
export const isSet = (flags: FlagValues, name: string): boolean => flags[name] === true;
