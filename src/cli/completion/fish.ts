import type { CompletedFlag, CompletionTable, Words } from "./words.ts";

export function fishCompletion({ next, commands }: CompletionTable): string {
  const steps = [...next].flatMap(([before, names]) =>
    names.map(([name, summary]) => line([`-n ${quoted(onlyAt(before))}`, `-a ${name}`, `-d ${quoted(summary)}`])),
  );
  const flags = commands.flatMap(({ path, flags: all }) => all.map((flag) => flagLine(path, flag)));
  const positional = commands.flatMap(({ path, positional: all }) =>
    all.flatMap((words) => {
      const values = valuesOf(words);
      return values === undefined ? [] : [line([`-n ${quoted(`__fairway_at ${path}`)}`, values])];
    }),
  );
  return `# fairway completion for fish: fairway completion fish | source

# The words so far, without options.
function __fairway_words
    set -l words (commandline -opc)
    string match -v -- '-*' $words[2..]
end

# Does the command line begin with these words?
function __fairway_at
    set -l words (__fairway_words)
    test (count $words) -ge (count $argv); and test "$words[1..(count $argv)]" = "$argv"
end

# And is nothing else there yet?
function __fairway_only_at
    set -l words (__fairway_words)
    test "$words" = "$argv"
end

complete -c fairway -f
${[...steps, ...flags, ...positional].join("")}`;
}

const line = (parts: readonly string[]): string => `complete -c fairway ${parts.join(" ")}\n`;

const onlyAt = (before: string): string => `__fairway_only_at ${before}`.trim();

function flagLine(path: string, { names, summary, value }: CompletedFlag): string {
  const options = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const values = value === undefined ? [] : ["-r", ...[valuesOf(value)].filter((part) => part !== undefined)];
  return line([`-n ${quoted(`__fairway_at ${path}`)}`, ...options, `-d ${quoted(summary)}`, ...values]);
}

function valuesOf(words: Words): string | undefined {
  if (words.kind === "files") return "-F";
  if (words.kind === "contexts") return "-a '(fairway context list -o name 2>/dev/null)'";
  return words.words.length === 0 ? undefined : `-a ${quoted(words.words.join(" "))}`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
