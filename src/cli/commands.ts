import { applyCommand } from "./apply.ts";
import { bootstrapCommand } from "./bootstrap.ts";
import { checkCommand } from "./check.ts";
import type { CommandRow } from "./command.ts";
import { compileCommand } from "./compile-command.ts";
import { completionCommand } from "./completion/completion.ts";
import { contextCommands } from "./context.ts";
import { deleteCommand } from "./delete.ts";
import { diffCommand } from "./diff.ts";
import { explainCommand } from "./explain-command.ts";
import { getCommand } from "./get.ts";
import { instancesCommand } from "./instances.ts";
import { proxiesCommand } from "./proxies.ts";
import { proxyConfigCommand } from "./proxy-config.ts";
import { registriesCommand } from "./registries.ts";
import { servicesCommand } from "./services.ts";
import { testCommand } from "./test-command.ts";
import { type OpenTokens, tokenCommands } from "./token.ts";
import { whoamiCommand } from "./whoami.ts";

/** What the commands need from the rest of the house. */
export interface CommandParts {
  /** Those that run a server. */
  readonly servers: readonly CommandRow[];
  /** Those that run beside a proxy. */
  readonly agents: readonly CommandRow[];
  /** Those that work on the data of a server. */
  readonly stores: readonly CommandRow[];
  readonly openTokens: OpenTokens;
}

/** Every command, in the order of the help and of docs/cli.md. */
export function commandTable({ servers, agents, stores, openTokens }: CommandParts): readonly CommandRow[] {
  const rows: readonly CommandRow[] = [
    ...servers,
    checkCommand,
    compileCommand,
    bootstrapCommand,
    ...agents,
    applyCommand,
    getCommand,
    diffCommand,
    deleteCommand,
    servicesCommand,
    instancesCommand,
    registriesCommand,
    proxiesCommand,
    proxyConfigCommand,
    explainCommand,
    testCommand,
    whoamiCommand,
    tokenCommands(openTokens),
    contextCommands,
    ...stores,
    completionCommand(() => rows),
  ];
  return rows;
}
