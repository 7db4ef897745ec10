import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import type { Exit } from "../../src/app/child.ts";
import { isOpen, isRunning } from "./process.ts";
import { waitFor } from "./wait-for.ts";

/** `fairway dev` as a process of its own, as a person at a terminal has it. */
export interface Dev {
  readonly dir: string;
  readonly pid: number;
  /** All that it printed so far, standard error too. */
  readonly printed: () => string;
  /** Waits for a text to be printed; returns what it matched. */
  readonly says: (text: RegExp) => Promise<RegExpExecArray>;
  readonly exited: Promise<Exit>;
  /** As the terminal does it for Ctrl-C: to the whole group in the foreground. */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Its children, their children, and so on. Needs `/proc`. */
  readonly processes: () => readonly { readonly pid: number; readonly command: string }[];
  /** Every address that it printed. */
  readonly addresses: () => readonly string[];
}

const main = join(import.meta.dirname, "../../src/app/main.ts");

export interface DevOptions {
  readonly context: Pick<TestContext, "onTestFinished">;
  readonly env: NodeJS.ProcessEnv;
  /** Default: a new one, removed at the end. */
  readonly dir?: string;
}

export async function startDev({ context, env, dir = temporaryFolder(context) }: DevOptions): Promise<Dev> {
  const child = spawn(process.execPath, [main, "dev", "--data", dir], {
    detached: true,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = child.pid ?? 0;
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const exited = once(child, "exit").then(([code, signal]): Exit => ({ code, signal }));
  context.onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await exited;
  });
  return {
    dir,
    pid,
    printed: () => printed,
    says: (text) =>
      waitFor(() => text.exec(printed), { withinMs: 30_000, what: String(text) }).catch((cause: Error) => {
        throw new Error(`${cause.message}; it printed:\n${printed}`);
      }),
    exited,
    signal: (signal) => {
      process.kill(-pid, signal);
    },
    processes: () => descendantsOf(pid),
    addresses: () => [...new Set([...printed.matchAll(/\b127(?:\.\d+){3}:\d+/g)].map(([address]) => address))],
  };
}

export function temporaryFolder({ onTestFinished }: Pick<TestContext, "onTestFinished">): string {
  const dir = mkdtempSync(join(tmpdir(), "fairway-dev-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Waits until none of these processes runs and nobody listens at these addresses. */
export async function waitUntilGone(pids: readonly number[], addresses: readonly string[]): Promise<void> {
  await waitFor(() => !pids.some(isRunning), { what: "the end of all processes" });
  const open = await Promise.all(addresses.map(isOpen));
  if (open.includes(true)) throw new Error(`somebody still listens: ${addresses.filter((_, i) => open[i]).join(", ")}`);
}

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function descendantsOf(pid: number): readonly ProcessEntry[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? processEntry(Number(name)) : []));
  const below = (parent: number): readonly ProcessEntry[] =>
    all.filter((entry) => entry.parent === parent).flatMap((entry) => [entry, ...below(entry.pid)]);
  return below(pid);
}

/** Empty for one that has just ended. */
function processEntry(pid: number): readonly ProcessEntry[] {
  try {
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    return [{ pid, parent, command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() }];
  } catch {
    return [];
  }
}
