import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { takeLock } from "../base/database-lock.ts";
import { MeshError } from "../base/errors.ts";
import { type Database, type OpenDatabaseOptions, openDatabase } from "../base/open-database.ts";
import { databaseError } from "../base/sqlite-error.ts";
import type { StoreProcedures } from "./store-layout.ts";

/** The folder of `--data`, while it is ours. */
export interface DataFolder {
  readonly dir: string;
  /** Of the database. */
  readonly file: string;
  /** Others of this machine may enter it. */
  readonly isOpen: boolean;
  /** Files in it that others could read or write until now. */
  readonly tightened: readonly string[];
  readonly release: () => Promise<void>;
}

/** Of the database in a data folder. */
export const databaseFile = (dir: string): string => join(dir, "fairway.db");

/** Of what registries had last, in a data folder. */
export const catalogFolder = (dir: string): string => join(dir, "catalogs");

/**
 * Makes the folder when it is missing, for its user alone, and takes it for this process until it is released. Throws
 * `usage/invalid` while somebody else has it: two servers would each believe that they know what is stored.
 */
export async function claimDataFolder(dir: string): Promise<DataFolder> {
  const owner = join(dir, "fairway.pid");
  const release = await lockFolder(dir, owner);
  // Only told to people: what counts is the lock, which a killed process does not keep.
  await writeFile(owner, `${process.pid}\n`).catch(() => {});
  return {
    dir,
    file: databaseFile(dir),
    isOpen: isForOthers(await stat(dir)),
    tightened: await tighten(dir),
    release: async () => {
      await rm(owner, { force: true });
      release();
    },
  };
}

async function lockFolder(dir: string, owner: string): Promise<() => void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw databaseError(cause, dir);
  }
  const release = takeLock(join(dir, "fairway.lock"));
  if (release !== undefined) return release;
  const pid = (await readFile(owner, "utf8").catch(() => "")).trim();
  throw new MeshError("usage/invalid", `${pid === "" ? "another process" : `process ${pid}`} uses ${dir} already`, {
    hint: "Stop that Fairway first, or name another directory with --data.",
  });
}

/** The folder's mode is its owner's affair; what we keep in it is not for others, whoever made or copied it. */
async function tighten(dir: string): Promise<readonly string[]> {
  const tightened: string[] = [];
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    if (!/^(fairway\.db|token$)/.test(name)) continue;
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() !== true || !isForOthers(found)) continue;
    try {
      await chmod(path, 0o600);
      tightened.push(name);
    } catch {
      // Another user's. What cannot be used is told when it is opened.
    }
  }
  return tightened;
}

const isForOthers = ({ mode }: Stats): boolean => (mode & 0o077) !== 0;

/** Opens the database of a folder that is ours, or one in memory, which is gone when it is closed. */
export function openStoreDatabase(
  file: string,
  options: Omit<OpenDatabaseOptions, "file" | "worker"> = {},
): Promise<Database<StoreProcedures>> {
  // `.ts` in the tree, `.js` in the package.
  const worker = new URL(`./database-worker${import.meta.url.slice(-3)}`, import.meta.url);
  return openDatabase({ ...options, file, worker });
}
