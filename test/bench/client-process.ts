import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A client of a bench, in a process of its own so that it does not share the server's event loop. */
export interface ClientProcess {
  /** It is set up, and starts in the next moment. */
  readonly ready: Promise<void>;
  /** What it measured; rejects when it fails. */
  readonly result: Promise<unknown>;
  /** Asks it to end. */
  readonly end: () => void;
}

/** Runs a file of this folder; it sends `"ready"`, then one message with its result. */
export function runClient(file: string, args: readonly string[]): ClientProcess {
  const child = fork(join(import.meta.dirname, file), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return { ready: messageOf(child), result: resultOf(child), end: () => child.send("end") };
}

async function messageOf(child: ChildProcess): Promise<void> {
  await once(child, "message");
}

async function resultOf(child: ChildProcess): Promise<unknown> {
  const messages: unknown[] = [];
  child.on("message", (message) => messages.push(message));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the client ended with status ${code}`);
  return messages.at(-1);
}
