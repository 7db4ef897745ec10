import { bootstrapCommand } from "./bootstrap.ts";
import { checkCommand } from "./check.ts";
import type { Command } from "./command.ts";
import { compileCommand } from "./compile.ts";
import { proxiesCommand } from "./proxies.ts";
import { servicesCommand } from "./services.ts";

/** The commands that are clients of a server, or need none; `app` puts those that run one in front of them. */
export const clientCommands: readonly Command[] = [
  checkCommand,
  compileCommand,
  bootstrapCommand,
  servicesCommand,
  proxiesCommand,
];
