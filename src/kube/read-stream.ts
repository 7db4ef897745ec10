import type { Clock } from "../base/clock.ts";
import type { KubeClient, Query } from "./client.ts";
import { KubeFailure } from "./failure.ts";
import { createWatchdog } from "./watchdog.ts";

export interface ReadStreamOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly path: string;
  readonly query: Query;
  /** Ends it; it is aborted by itself when nothing is heard. */
  readonly controller: AbortController;
  /** How long the server may say nothing, from now on. */
  readonly patienceMs: () => number;
  readonly onOpen?: () => void;
  readonly onChunk: (chunk: Buffer) => void;
}

/** Reads an answer as it comes, to its end. Every failure is a KubeFailure, also what `onChunk` throws. */
export async function readStream(options: ReadStreamOptions): Promise<void> {
  const { client, clock, path, query, controller, patienceMs, onOpen, onChunk } = options;
  const { signal } = controller;
  const silent = (): void =>
    controller.abort(new KubeFailure("silent", `the answer to GET ${path} went silent for too long`));
  let watchdog: ReturnType<typeof createWatchdog> | undefined;
  try {
    const chunks = await client.stream({ path, query, signal });
    onOpen?.();
    watchdog = createWatchdog(clock, patienceMs(), silent);
    for await (const chunk of chunks) {
      onChunk(chunk);
      watchdog.heard(patienceMs());
    }
  } catch (thrown) {
    const cause: unknown = signal.aborted ? signal.reason : thrown;
    throw cause instanceof KubeFailure ? cause : brokenOff(path, cause);
  } finally {
    watchdog?.close();
  }
}

export const brokenOff = (path: string, cause?: unknown): KubeFailure =>
  new KubeFailure("cut", `the answer to GET ${path} broke off`, { cause });
