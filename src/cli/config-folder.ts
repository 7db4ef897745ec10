import { join } from "node:path";
import type { CliIo } from "./command.ts";

/** The user's folder for Fairway: contexts and the tokens of servers on this machine. Undefined where nobody's home is known. */
export function configFolderOf(env: CliIo["env"]): string | undefined {
  if (env["XDG_CONFIG_HOME"]) return join(env["XDG_CONFIG_HOME"], "fairway");
  return env["HOME"] ? join(env["HOME"], ".config", "fairway") : undefined;
}

/** The file of contexts: the one that `$FAIRWAY_CONTEXTS` names, else that of the user's folder. */
export function contextsFileOf(env: CliIo["env"]): string | undefined {
  if (env["FAIRWAY_CONTEXTS"]) return env["FAIRWAY_CONTEXTS"];
  const folder = configFolderOf(env);
  return folder === undefined ? undefined : join(folder, "contexts.yaml");
}
