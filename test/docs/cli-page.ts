import type { Command, Flag } from "../../src/cli/command.ts";

/** `docs/cli.md`, from the table of commands. */
export function cliPage(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `| [\`fairway ${name}\`](#fairway-${name}) | ${cell(summary)} |`);
  return `# Commands

<!-- Made by \`npm run docs\` from the table of commands in src; do not edit. -->

In a clone, write \`npx fairway\` where this page says \`fairway\`. Every command has \`--help\`.

| command | what it does |
| --- | --- |
${list.join("\n")}

Exit codes: 0 done; 1 the answer is no (findings, refused, not in sync); 2 wrong use; 3 cannot reach the server.

${commands.map(section).join("\n")}`;
}

function section(command: Command): string {
  const { name, summary, details, arguments: positional, flags, examples } = command;
  const usage = ["fairway", name, "[options]", ...(positional === undefined ? [] : [positional])].join(" ");
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const rows = flags.map((flag) => `| \`${flag.flags.replaceAll("|", "\\|")}\` | ${cell(meaningOf(flag))} |`);
  const lines = examples.flatMap((example) => [`# ${example.summary}`, example.line, ""]).slice(0, -1);
  return [
    `## fairway ${name}`,
    "",
    sentence,
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
