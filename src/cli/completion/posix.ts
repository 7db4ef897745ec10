import type { CompletionTable, Words } from "./words.ts";

/** What bash and zsh share: shell functions that set `words`, and `files` to 1 where files are meant. */
export function sharedFunctions({ next, commands }: CompletionTable): string {
  const steps = [...next].flatMap(([before, names]) =>
    names.map(([name]) => quoted(before === "" ? name : `${before} ${name}`)),
  );
  const valued = new Set(
    commands.flatMap(({ flags }) => flags.flatMap(({ names, value }) => (value === undefined ? [] : names))),
  );
  const values = commands.flatMap(({ path, flags }) =>
    flags.flatMap(({ names, value }) =>
      value === undefined
        ? []
        : [
            arm(
              names.map((name) => `${path} ${name}`),
              value,
            ),
          ],
    ),
  );
  const flags = commands.map(({ path, flags: all }) =>
    arm([path], { kind: "words", words: all.flatMap(({ names }) => names) }),
  );
  const positional = commands.flatMap(({ path, positional: all }) =>
    all.map((words, index) =>
      // The last one stands for those that follow.
      index === all.length - 1
        ? `    ${quoted(`${path} `)}*) ${assignment(words)} ;;\n`
        : arm([`${path} ${index}`], words),
    ),
  );
  const groups = [...next].map(([before, names]) =>
    arm([`${before} 0`.trimStart()], { kind: "words", words: names.map(([name]) => name) }),
  );
  return `# Is there a command of this name?
_fairway_step() {
  case "$1" in
    ${steps.join("|")}) return 0 ;;
  esac
  return 1
}

# Does this option take a value?
_fairway_valued() {
  case "$1" in
    ${[...valued].join("|")}) return 0 ;;
  esac
  return 1
}

_fairway_values() {
  case "$1" in
${values.join("")}    *) return 1 ;;
  esac
}

_fairway_flags() {
  case "$1" in
${flags.join("")}  esac
}

_fairway_positional() {
  case "$1" in
${groups.join("")}${positional.join("")}  esac
}
`;
}

const arm = (patterns: readonly string[], words: Words): string =>
  `    ${patterns.map(quoted).join("|")}) ${assignment(words)} ;;\n`;

const assignment = (words: Words): string => {
  if (words.kind === "files") return "files=1";
  if (words.kind === "contexts") return 'words="$(fairway context list -o name 2>/dev/null)"';
  return `words=${quoted(words.words.join(" "))}`;
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
