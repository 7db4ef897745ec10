import type { Log } from "../base/log.ts";
import type { Database } from "../base/open-database.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { claimDataFolder, openStoreDatabase } from "./data-folder.ts";
import type { StoreProcedures } from "./store-layout.ts";

/** Where what must survive a restart is kept; `memory`: nothing does. */
export type StoreOptions = { readonly kind: "memory" } | { readonly kind: "sqlite"; readonly folder: string };

/** The database of rules, tokens and registrations, opened for this process alone. */
export interface OpenStore {
  readonly call: Database<StoreProcedures>["call"];
  /** Why nothing can be stored any more, as a sentence; undefined while all is well. */
  readonly trouble: Signal<string | undefined>;
  /** After the calls that were made before. */
  readonly close: () => Promise<void>;
}

/** Rejects with a `store/…` error or, where another process has the folder, `usage/invalid`. */
export async function openStore(options: StoreOptions, log: Log): Promise<OpenStore> {
  const trouble = createSignal<string | undefined>(undefined);
  const onLost = (error: Error): void => {
    log.error({ err: error }, "the database is lost; nothing can be stored until Fairway is started again");
    trouble.set(`The database is lost: ${error.message}.`);
  };
  if (options.kind === "memory") {
    const database = await openStoreDatabase(":memory:", { onLost });
    return { call: database.call, trouble, close: database.close };
  }
  const folder = await claimDataFolder(options.folder);
  const { dir, isOpen, tightened } = folder;
  if (tightened.length > 0) log.info({ dir, files: tightened }, "files of the data directory are closed to others now");
  if (isOpen) log.warn({ dir }, "others may enter the data directory; `chmod 700` keeps them out");
  try {
    const database = await openStoreDatabase(folder.file, { onLost });
    return {
      call: database.call,
      trouble,
      close: async () => {
        await database.close();
        await folder.release();
      },
    };
  } catch (error) {
    await folder.release();
    throw error;
  }
}
