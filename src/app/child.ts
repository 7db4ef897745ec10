import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { runAfterDeath } from "./reaper.ts";

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Hears each line of standard output and standard error, without its end; longer ones are cut to 16 KiB. */
  readonly onLine?: (line: string) => void;
  /** A command that ends for sure what a signal to the process does not reach, for example a container. */
  readonly endWith?: readonly [string, ...string[]];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that does not outlive this one, and that Ctrl-C at the terminal does not reach: its owner stops it, in order. */
export interface Child {
  readonly pid: number;
  /** Resolves after its last line of output was heard. Never rejects. */
  readonly exited: Promise<Exit>;
  /** Asks it to end (SIGTERM); ends it and its children by force after `graceMs` (default 5000). May be called again, with less patience too. */
  readonly stop: (options?: { readonly graceMs?: number }) => Promise<Exit>;
}

const defaultGraceMs = 5_000;
const maxLineLength = 16_384;
/** A grandchild may hold the pipes open; then the last lines are not waited for longer than this. */
const lastLinesMs = 500;
const endCommandMs = 10_000;

/** Starts a process; rejects with the system's error when it cannot be started. */
export async function startChild({ command, args, env, onLine, endWith }: ChildOptions): Promise<Child> {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    ...(env && { env }),
  });
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const takeBack = [["kill", "-s", "KILL", "--", `-${pid}`], ...(endWith ? [endWith] : [])].map(runAfterDeath);
  for (const stream of [child.stdout, child.stderr]) forEachLine(stream, onLine);

  const closed = once(child, "close");
  const exited = once(child, "exit").then(async ([code, signal]): Promise<Exit> => {
    await withinMs(closed, lastLinesMs);
    for (const undo of takeBack) undo();
    return { code, signal };
  });
  return {
    pid,
    exited,
    stop: ({ graceMs = defaultGraceMs } = {}) => stopChild(child, exited, graceMs, endWith),
  };
}

async function stopChild(
  child: ChildProcess,
  exited: Promise<Exit>,
  graceMs: number,
  endWith: ChildOptions["endWith"],
): Promise<Exit> {
  if (!child.killed) child.kill("SIGTERM");
  if ((await withinMs(exited, graceMs)) === undefined) {
    if (endWith) {
      const end = spawn(endWith[0], endWith.slice(1), { stdio: "ignore", timeout: endCommandMs });
      await once(end, "exit").catch(() => {});
    }
    killGroup(child);
  }
  return exited;
}

/** Only while the child itself is there: later its number may be somebody else's. */
function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {}
}

/** The promise's value, or undefined after `timeoutMs`. */
async function withinMs<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Not `node:readline`: it keeps a line without end in memory for ever. */
function forEachLine(stream: Readable, hear: ((line: string) => void) | undefined): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(0, maxLineLength);
    for (const line of lines) hear?.(line.slice(0, maxLineLength));
  });
  stream.on("end", () => {
    if (rest !== "") hear?.(rest);
  });
  stream.on("error", () => {});
}
