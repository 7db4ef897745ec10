import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
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
import { type InstanceRow, leaseProcedures, type Rows } from "../registry/rest/lease-procedures.ts";
import { readInstanceRow } from "../registry/rest/rows.ts";
import { type Token, tokenState } from "../security/token.ts";
import { endTokensAs } from "../security/token-ends.ts";
import { tokenProcedures } from "../security/token-procedures.ts";
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

export interface Restored extends Replaced {
  /** How the backup differs from what it replaced; undefined: that could not be read, or there was nothing. */
  readonly since?: SinceBackup;
}

/** What had happened since the backup was made. Tokens by their names, services by their hosts, instances as `host/id`. */
export interface SinceBackup {
  /** Revoked meanwhile: they stay revoked. */
  readonly stillRevoked: readonly string[];
  /** Live in the backup, and not known any more to what was replaced. */
  readonly revivedTokens: readonly string[];
  /** Deregistered meanwhile: they are registered again. */
  readonly revivedServices: readonly string[];
  readonly revivedInstances: readonly RevivedInstance[];
}

export interface RevivedInstance {
  readonly name: string;
  /** Its lease begins anew; without heartbeats it goes by itself. */
  readonly hasLease: boolean;
}

/**
 * Puts a backup in the store's place. No server may use the folder. Revisions go on after the last one that was ever given out, so
 * that none comes to mean two things; revoked tokens stay revoked. `atMs`: now.
 */
export const restoreStore = (dir: string, from: string, atMs: number): Promise<Restored> =>
  withFolder(dir, async (file) => {
    const last = existsSync(file) ? readable(file, stateOf)?.revision : 0;
    const before = existsSync(file) ? readable(file, contentsOf) : undefined;
    let since: SinceBackup | undefined;
    const replaced = await restoreDatabase({
      ...{ from, file, format: storeFormat, suffix: `replaced-${stamp(atMs)}` },
      adjust: (copy) => {
        skipRevisions(copy, last);
        since = before && carryOver(before, copy, atMs);
      },
    });
    return { ...replaced, ...(since && { since }) };
  });

/** What must not come back unnoticed. */
interface Contents extends Rows {
  readonly tokens: readonly Token[];
}

/** Tables that an older layout has not yet are empty. */
const contentsOf = (db: DatabaseSync): Contents => ({
  tokens: hasTable(db, "tokens") ? tokenProcedures.listTokens(db, null) : [],
  ...(hasTable(db, "registered_services")
    ? leaseProcedures.loadRegistrations(db, undefined)
    : { services: [], instances: [] }),
});

const hasTable = (db: DatabaseSync, name: string): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;

function carryOver(before: Contents, copy: DatabaseSync, atMs: number): SinceBackup {
  const after = contentsOf(copy);
  if (after.tokens.length > 0) endTokensAs(copy, before.tokens);
  const tokens = new Map(before.tokens.map((token) => [token.id, token]));
  const live = after.tokens.filter((token) => tokenState(token, atMs) === "live");
  const services = new Set(before.services.map(({ host }) => host));
  const instances = new Set(before.instances.map(nameOf));
  return {
    stillRevoked: live.filter(({ id }) => tokens.get(id)?.revokedAtMs !== undefined).map(({ name }) => name),
    revivedTokens: live.filter(({ id }) => !tokens.has(id)).map(({ name }) => name),
    revivedServices: after.services.map(({ host }) => host).filter((host) => !services.has(host)),
    revivedInstances: after.instances
      .filter((row) => !instances.has(nameOf(row)))
      .map((row) => ({ name: nameOf(row), hasLease: hasLease(row) })),
  };
}

const nameOf = ({ host, id }: InstanceRow): string => `${host}/${id}`;

function hasLease(row: InstanceRow): boolean {
  const read = readInstanceRow(row);
  return read.ok && read.value.ttlMs !== undefined;
}

/** Undefined: it cannot be read any more. */
function readable<T>(file: string, read: (db: DatabaseSync) => T): T | undefined {
  try {
    return reading(file, read);
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
