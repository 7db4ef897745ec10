import { type Argument, CommanderError, Option, Command as Program } from "commander";
import { errorCodes, MeshError } from "../base/errors.ts";
import {
  type CliIo,
  type Command,
  type CommandGroup,
  type CommandInput,
  type CommandRow,
  type ExitCode,
  type Flag,
  type FlagValues,
  isGroup,
} from "./command.ts";
import { formatRefusal, ServerRefusal } from "./refusal.ts";
import { type Style, styleFor } from "./style.ts";

export interface CliOptions {
  /** In the order of the help. */
  readonly commands: readonly CommandRow[];
  readonly version: string;
}

/** Runs one command line (without the name of the program); never throws. */
export async function runCli(argv: readonly string[], io: CliIo, options: CliOptions): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = createProgram(options, io, async (command, input) => {
    exitCode = await command.run(input, io);
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(MeshError.from(error), io);
  }
}

type Run = (command: Command, input: CommandInput) => Promise<void>;

function createProgram({ commands, version }: CliOptions, io: CliIo, run: Run): Program {
  const style = styleFor(io);
  const program = configured(new Program("fairway"), io, style)
    .description("A service-mesh control plane: registries and rules in, xDS out.")
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .addHelpText(
      "after",
      `\n${style("quiet", "Exit codes: 0 done, 1 the answer is no, 2 wrong use or not allowed (401, 403), 3 cannot reach the server.")}`,
    );
  for (const row of commands) {
    program.addCommand(isGroup(row) ? groupOf(row, io, style, run) : subcommand(row, [], io, style, run));
  }
  return program;
}

function groupOf(group: CommandGroup, io: CliIo, style: Style, run: Run): Program {
  const sub = configured(new Program(group.name), io, style, [group.name])
    .summary(group.summary)
    .description(descriptionOf(group))
    .helpCommand(false);
  for (const command of group.commands) sub.addCommand(subcommand(command, [group.name], io, style, run));
  return sub;
}

function subcommand(command: Command, groups: readonly string[], io: CliIo, style: Style, run: Run): Program {
  const sub = configured(new Program(command.name), io, style, [...groups, command.name])
    .summary(command.summary)
    .description(descriptionOf(command))
    .addHelpText("after", examplesText(command, style));
  if (command.arguments !== undefined) sub.arguments(command.arguments);
  for (const flag of command.flags) sub.addOption(optionOf(flag));
  return sub.action(async () => {
    const flags: FlagValues = sub.opts();
    await run(command, { arguments: sub.args, flags });
  });
}

function descriptionOf({ summary, details }: CommandRow): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return details === undefined ? sentence : `${sentence}\n\n${details}`;
}

function optionOf({ flags, summary, required, repeats, choices, default: value }: Flag): Option {
  const option = new Option(flags, summary);
  if (required) option.makeOptionMandatory();
  if (repeats) option.argParser((value: string, before: readonly string[] = []) => [...before, value]);
  if (choices !== undefined) option.choices([...choices]);
  if (value !== undefined) option.default(value);
  return option;
}

/** `path`: the words after `fairway` that lead to it. */
function configured(program: Program, io: CliIo, style: Style, path: readonly string[] = []): Program {
  return program
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError(`  \`${["fairway", ...path].join(" ")} --help\` tells more.`)
    .configureHelp({
      styleTitle: (title) => style("strong", title),
      subcommandTerm: (sub) =>
        [
          sub.name(),
          ...sub.registeredArguments.map(argumentTerm),
          ...(sub.commands.length > 0 ? ["<command>"] : []),
        ].join(" "),
    })
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(text.replace(/^error: /, "fairway: ")),
      getOutHelpWidth: () => Math.min(io.terminal?.columns ?? 100, 100),
      getErrHelpWidth: () => 100,
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    });
}

function argumentTerm(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? "..." : "");
  return argument.required ? `<${name}>` : `[${name}]`;
}

function examplesText({ examples }: Command, style: Style): string {
  const lines = examples.map(({ line, summary }) => `  ${style("quiet", `# ${summary}`)}\n  ${line}\n`);
  return `\n${style("strong", "Examples:")}\n${lines.join("\n")}`;
}

/** Tells a failed operation on `err`: what went wrong, what to do, and for defects of ours where. */
export function reportError(error: MeshError, io: CliIo): ExitCode {
  if (error instanceof ServerRefusal) io.err(formatRefusal(error, styleFor(io)));
  io.err(`fairway: ${error.message}\n`);
  if (error.hint !== undefined) io.err(`  ${error.hint}\n`);
  if (error.code === "internal/failed") io.err(`${stackOf(error)}\n`);
  return errorCodes[error.code].exit;
}

const stackOf = ({ cause, stack = "" }: MeshError): string => (cause instanceof Error ? (cause.stack ?? "") : stack);
