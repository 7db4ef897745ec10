import type { CommandRow } from "../cli/command.ts";
import { commandTable } from "../cli/commands.ts";
import { agentCommands } from "./agent-commands.ts";
import { devCommand } from "./dev/dev-command.ts";
import { serveCommand } from "./serve-command.ts";
import { storeCommands } from "./store-commands.ts";
import { openTokens } from "./token-commands.ts";

/** Every command, in the order of the help and of docs/cli.md. */
export const commands: readonly CommandRow[] = commandTable({
  servers: [devCommand, serveCommand],
  agents: [agentCommands],
  stores: [storeCommands],
  openTokens,
});
