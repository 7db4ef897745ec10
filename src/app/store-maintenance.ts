import { existsSync } from "node:fs";
import {
  backupDatabase,
  type DatabaseInfo,
  describeDatabase,
  type Replaced,
  reading,
  restoreDatabase,
  type Upgraded,
  upgradeDatabase,
} from "../base/database-copies.ts";
import { skipRevisions, stateOf } from "../config/rule-state.ts";
import { claimDataFolder, databaseFile } from "./data-folder.ts";
import { storeFormat } from "./store-layout.ts";

export interface StoreInfo extends DatabaseInfo {
  /** The last revision of the rules; absent where the layout is another one. */
  readonly revision?: number;
}

/** Layout, size and counts of what a data folder holds; also while a server uses it. */
export function describeStore(dir: string): StoreInfo {
  const file = databaseFile(dir);
  const info = describeDatabase(file, storeFormat);
  const { found, ours } = info.layout;
  return { ...info, ...(found === ours && { revision: reading(file, stateOf).revision }) };
}

/** Copies the store to a new file; also while a server uses it. */
export const backupStore = (dir: string, to: string): Promise<void> =>
  backupDatabase(databaseFile(dir), to, storeFormat);

/**
 * Puts a backup in the store's place. No server may use the folder. Revisions go on after the last one that was ever given out, so
 * that none comes to mean two things. `atMs`: now.
 */
export const restoreStore = (dir: string, from: string, atMs: number): Promise<Replaced> =>
  withFolder(dir, (file) => {
    const last = lastRevision(file);
    return restoreDatabase({
      ...{ from, file, format: storeFormat, suffix: `replaced-${stamp(atMs)}` },
      adjust: (copy) => skipRevisions(copy, last),
    });
  });

/** Undefined: it cannot be read any more. */
function lastRevision(file: string): number | undefined {
  if (!existsSync(file)) return 0;
  try {
    return reading(file, stateOf).revision;
  } catch {
    return undefined;
  }
}

/** Brings the store to the layout that this version needs. No server may use the folder. `atMs`: now. */
export const upgradeStore = (dir: string, atMs: number): Promise<Upgraded> =>
  withFolder(dir, (file) => upgradeDatabase(file, storeFormat, `before-upgrade-${stamp(atMs)}`));

async function withFolder<T>(dir: string, work: (file: string) => Promise<T>): Promise<T> {
  const folder = await claimDataFolder(dir);
  try {
    return await work(folder.file);
  } finally {
    await folder.release();
  }
}

/** A time as a part of a file's name: `20261122T074644Z`. */
const stamp = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
