import { runCli } from "../../src/cli/cli.ts";
import type { CliIo, CommandRow } from "../../src/cli/command.ts";
import { commandTable } from "../../src/cli/commands.ts";

export interface Answer {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Noon of the day on which everything in these tests happens. */
export const noon = Date.parse("2026-11-22T12:00:00Z");

/** The commands of the command line alone. */
export const commands = commandTable({
  servers: [],
  agents: [],
  stores: [],
  openTokens: () => Promise.reject(new Error("no data directory here")),
});

/** Runs a command line as a user would, without a terminal unless told otherwise. */
export async function fairway(
  line: readonly string[] | string,
  io: Partial<CliIo> = {},
  table: readonly CommandRow[] = commands,
): Promise<Answer> {
  let out = "";
  let err = "";
  const argv = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const exit = await runCli(
    argv,
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      env: {},
      now: () => noon,
      signal: new AbortController().signal,
      ...io,
    },
    { commands: table, version: "1.2.3" },
  );
  return { exit, out, err };
}

/** As standard input. */
export async function* typed(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
