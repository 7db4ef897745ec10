import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

const readyWithinMs = 60_000;
const stopWithinMs = 15_000;

/** Resolves when the address answers 200; rejects when the process ends first, or takes too long. */
export async function waitUntilReady(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + readyWithinMs;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode} before it was ready`);
    const isReady = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (isReady) return;
    await delay(10);
  }
  throw new Error(`the server was not ready within ${readyWithinMs / 1_000} s`);
}

/** Asks the process to end, and ends it when it does not. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  await exited;
  clearTimeout(late);
}
