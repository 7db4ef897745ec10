import { type Child, startChild } from "../../src/app/child.ts";
import type { Cleanup } from "./envoy.ts";
import { waitFor } from "./wait-for.ts";

/** A server that a test may take away and give back; each time with the same words, and so on the same port and data. */
export interface LabProcess {
  /** Resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** In order, if it ends within 3 s: an API server waits for whoever watches. */
  readonly stop: () => Promise<void>;
  /** As a crash does it. */
  readonly kill: () => Promise<void>;
  /** It keeps its connections and says nothing more. */
  readonly pause: () => void;
  readonly resume: () => void;
}

export interface LabProcessOptions {
  readonly cleanup: Cleanup;
  readonly command: readonly [string, ...string[]];
  readonly env?: NodeJS.ProcessEnv;
  readonly isReady: () => Promise<boolean>;
}

const withinMs = 60_000;

/** Starts it; it is gone at the end. */
export async function startLabProcess({ cleanup, command, env, isReady }: LabProcessOptions): Promise<LabProcess> {
  const [program, ...args] = command;
  const name = command.slice(0, 3).join(" ");
  let running: Child | undefined;
  let said: string[] = [];
  const signal = (name: NodeJS.Signals): void => {
    if (running !== undefined) process.kill(running.pid, name);
  };
  const end = async (graceMs: number): Promise<void> => {
    const child = running;
    running = undefined;
    await child?.stop({ graceMs });
  };
  const start = async (): Promise<void> => {
    said = [];
    const child = await startChild({ command: program, args, ...(env && { env }), onLine: (line) => said.push(line) });
    running = child;
    let hasEnded = false;
    void child.exited.then(() => {
      hasEnded = true;
    });
    await waitFor(async () => hasEnded || (await isReady()), { withinMs, what: name }).catch((cause: unknown) => {
      throw new Error(`${name} is not ready; it said:\n${said.slice(-20).join("\n")}`, { cause });
    });
    if (hasEnded) throw new Error(`${name} ended; it said:\n${said.slice(-20).join("\n")}`);
  };
  // Nothing of it is wanted afterwards.
  cleanup(() => end(0));
  await start();
  return {
    start,
    stop: () => end(3_000),
    kill: () => end(0),
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
  };
}
