import { runCli } from "../cli/cli.ts";
import type { CliIo } from "../cli/command.ts";
import { commands } from "./commands.ts";
import { version } from "./version.ts";

// Ctrl-C ends the process on the spot, with whatever a command waits for, and by the signal itself, so that a shell's loop
// around it ends too. `dev` and `serve` have something to bring to an end and hear signals themselves.
const neverAborted = new AbortController().signal;

const io: CliIo = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  // Opened when somebody asks for it: an open standard input may keep the process alive.
  get input() {
    return process.stdin;
  },
  ...(process.stdout.isTTY && { terminal: { columns: process.stdout.columns } }),
  errTerminal: process.stderr.isTTY,
  now: Date.now,
  signal: neverAborted,
  hearInterrupt: () => {
    const interrupt = new AbortController();
    process.once("SIGINT", () => interrupt.abort());
    return interrupt.signal;
  },
};

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});

process.exitCode = await runCli(process.argv.slice(2), io, { commands, version: version.version });
