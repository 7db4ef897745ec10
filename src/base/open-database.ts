import { Worker } from "node:worker_threads";
import type { Call, Procedures } from "./database.ts";
import { MeshError } from "./errors.ts";
import { type Answer, type CallMessage, errorOf } from "./run-calls.ts";
import type { FromDatabase, ServeData, ToDatabase } from "./serve-database.ts";

export interface OpenDatabaseOptions extends ServeData {
  /** The module that calls `serveDatabase`. */
  readonly worker: URL;
  /** Calls that may wait for their answer; one more is refused with `store/busy`. Default 1024. */
  readonly maxWaiting?: number;
  /** The database's thread died: no call will be answered any more. Not called for `close`. */
  readonly onLost?: (error: MeshError) => void;
}

/** A database that a thread of its own works on. */
export interface Database<P extends Procedures> {
  readonly call: Call<P>;
  /** Waits for the calls that were made before; those that come later are refused. */
  readonly close: () => Promise<void>;
}

const defaultMaxWaiting = 1_024;
/** Committed together at the most, so that the first of many does not wait for all. */
const maxTogether = 64;

interface Waiting extends CallMessage {
  readonly settle: (answer: Answer) => void;
  readonly fail: (error: MeshError) => void;
}

/**
 * Starts the thread; resolves when the file is open, and rejects with a `store/…` MeshError when it cannot be. While the thread
 * is at work, calls gather; they then go together and are committed together.
 */
export async function openDatabase<P extends Procedures>(options: OpenDatabaseOptions): Promise<Database<P>> {
  const { file, maxPages, worker: url, maxWaiting = defaultMaxWaiting } = options;
  const workerData: ServeData = { file, ...(maxPages !== undefined && { maxPages }) };
  const worker = new Worker(url, { workerData });
  const opened = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const waiting: Waiting[] = [];
  let sent: readonly Waiting[] = [];
  let state: "opening" | "open" | "closing" | "ended" = "opening";
  let fault: unknown;

  const post = (message: ToDatabase) => worker.postMessage(message);

  const send = () => {
    if (sent.length > 0 || state === "ended") return;
    sent = waiting.splice(0, maxTogether);
    if (sent.length === 0) {
      if (state === "closing") post({ kind: "close" });
      return;
    }
    try {
      post({ kind: "calls", calls: sent.map(({ name, input }) => ({ name, input })) });
    } catch (cause) {
      // Inputs that are no plain data never leave this thread.
      const failed = sent;
      sent = [];
      for (const { fail } of failed) fail(MeshError.from(cause));
      send();
    }
  };

  const hear = (message: FromDatabase) => {
    if (message.kind === "answers") {
      const asked = sent;
      sent = [];
      for (const [index, { settle }] of asked.entries()) settle(message.answers[index] ?? noAnswer);
      send();
    } else if (message.kind === "open") {
      state = "open";
      opened.resolve();
    } else {
      opened.reject(errorOf(message.error));
    }
  };

  const end = () => {
    const expected = state === "closing" && sent.length === 0 && waiting.length === 0;
    const before = state;
    state = "ended";
    const error = lost(file, fault);
    for (const { fail } of [...sent, ...waiting.splice(0)]) fail(error);
    sent = [];
    opened.reject(error);
    exited.resolve();
    if (!expected && before !== "opening") options.onLost?.(error);
  };

  worker.on("message", hear);
  worker.on("messageerror", (error) => {
    fault = error;
    void worker.terminate();
  });
  worker.on("error", (error) => {
    fault = error;
  });
  worker.on("exit", end);
  await opened.promise;

  const call = (name: string, input: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (state === "ended") reject(lost(file, fault));
      else if (state === "closing") reject(closed(file));
      else if (waiting.length + sent.length >= maxWaiting) reject(busy(file));
      else {
        const settle = (answer: Answer) => (answer.ok ? resolve(answer.output) : reject(errorOf(answer.error)));
        waiting.push({ name, input, settle, fail: reject });
        send();
      }
    });

  return {
    call: call as Call<P>,
    close: async () => {
      if (state === "open") {
        state = "closing";
        send();
      }
      await exited.promise;
    },
  };
}

const noAnswer: Answer = { ok: false, error: { code: "internal/failed", message: "the database gave no answer" } };

const lost = (file: string, cause: unknown): MeshError => {
  const reason = cause === undefined ? "" : `: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new MeshError("store/failed", `the thread that works on ${file} has ended${reason}`, {
    hint: "All that was answered is stored. Start Fairway again.",
    cause,
  });
};

const closed = (file: string): MeshError =>
  new MeshError("store/failed", `${file} is closed already`, { hint: "Fairway is stopping; start it again." });

const busy = (file: string): MeshError =>
  new MeshError("store/busy", `too many changes wait to be written to ${file}`, { hint: "Try again in a second." });
