import { type Command, type CommandGroup, type CommandRow, type Flag, isGroup } from "../../src/cli/command.ts";

/** `docs/cli.md`, from the table of commands. */
export function cliPage(commands: readonly CommandRow[]): string {
  const list = commands.map(({ name, summary }) => `| [\`fairway ${name}\`](#fairway-${name}) | ${cell(summary)} |`);
  return `# Commands

<!-- Made by \`npm run docs\` from the table of commands in src; do not edit. -->

In a clone, write \`npx fairway\` where this page says \`fairway\`. Every command has \`--help\`.

| command | what it does |
| --- | --- |
${list.join("\n")}

Exit codes: 0 done; 1 the answer is no (findings, refused, not in sync); 2 wrong use, or not allowed; 3 cannot reach the server.

${commands.map((row) => (isGroup(row) ? groupSection(row) : section(row, row.name, "##"))).join("\n")}`;
}

function groupSection({ name, summary, details, commands }: CommandGroup): string {
  const parts = commands.map((command) => section(command, `${name} ${command.name}`, "###"));
  return [
    `## fairway ${name}`,
    "",
    sentenceOf(summary),
    ...(details === undefined ? [] : ["", details]),
    "",
    ...parts,
  ].join("\n");
}

const sentenceOf = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;

/** `path`: the words after `fairway`. */
function section(command: Command, path: string, heading: string): string {
  const { summary, details, arguments: positional, flags, examples } = command;
  const usage = ["fairway", path, "[options]", ...(positional === undefined ? [] : [positional])].join(" ");
  const rows = flags.map((flag) => `| \`${flag.flags.replaceAll("|", "\\|")}\` | ${cell(meaningOf(flag))} |`);
  const lines = examples.flatMap((example) => [`# ${example.summary}`, example.line, ""]).slice(0, -1);
  return [
    `${heading} fairway ${path}`,
    "",
    sentenceOf(summary),
    ...(details === undefined ? [] : ["", details]),
    "",
    `    ${usage}`,
    "",
    ...(rows.length === 0 ? [] : ["| option | |", "| --- | --- |", ...rows, ""]),
    "```sh",
    ...lines,
    "```",
    "",
  ].join("\n");
}

function meaningOf({ summary, required, choices, default: value }: Flag): string {
  return [
    summary,
    ...(required ? ["required"] : []),
    ...(choices === undefined ? [] : [`one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`]),
    ...(value === undefined ? [] : [`default \`${value}\``]),
  ].join("; ");
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
