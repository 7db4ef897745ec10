import { parentPort, workerData } from "node:worker_threads";
import type { DatabaseFormat, Procedures } from "./database.ts";
import { openDatabaseFile } from "./database-file.ts";
import { type Answer, type CallMessage, type ErrorMessage, messageOf, runCalls } from "./run-calls.ts";

/** What the thread is started with. */
export interface ServeData {
  readonly file: string;
  readonly maxPages?: number;
}

export type ToDatabase =
  | { readonly kind: "calls"; readonly calls: readonly CallMessage[] }
  | { readonly kind: "close" };

export type FromDatabase =
  | { readonly kind: "open" }
  | { readonly kind: "refused"; readonly error: ErrorMessage }
  /** To the last calls, in their order. */
  | { readonly kind: "answers"; readonly answers: readonly Answer[] };

export interface ServedDatabase {
  readonly procedures: Procedures;
  readonly format: DatabaseFormat;
}

/** All that the database's thread does: it opens the file that its starter names, and answers calls until it is told to close. */
export function serveDatabase({ procedures, format }: ServedDatabase): void {
  const port = parentPort;
  if (port === null) throw new Error("serveDatabase runs in a worker thread only");
  const { file, maxPages } = workerData as ServeData;
  const send = (message: FromDatabase) => port.postMessage(message);
  try {
    const db = openDatabaseFile({ file, format, ...(maxPages !== undefined && { maxPages }) });
    port.on("message", (message: ToDatabase) => {
      if (message.kind === "calls") {
        send({ kind: "answers", answers: runCalls({ db, procedures, file }, message.calls) });
      } else {
        db.close();
        port.close();
      }
    });
    send({ kind: "open" });
  } catch (cause) {
    send({ kind: "refused", error: messageOf(cause, file) });
  }
}
