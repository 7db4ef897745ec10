import type { Command } from "../cli/command.ts";
import { clientCommands } from "../cli/commands.ts";
import { devCommand } from "./dev/dev.ts";
import { serveCommand } from "./serve.ts";

/** Every command, in the order of the help and of docs/cli.md. */
export const commands: readonly Command[] = [devCommand, serveCommand, ...clientCommands];
