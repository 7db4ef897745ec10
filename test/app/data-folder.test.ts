import { spawnSync } from "node:child_process";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimDataFolder, databaseFile } from "../../src/app/data-folder.ts";
import { storeFormat } from "../../src/app/store-layout.ts";
import { backupStore, describeStore, restoreStore, upgradeStore } from "../../src/app/store-maintenance.ts";
import { reading } from "../../src/base/database-copies.ts";
import { openDatabaseFile } from "../../src/base/database-file.ts";
import { change, key, keyed, openStore, service, temporaryFolder, told } from "../config/store-support.ts";

const atMs = Date.parse("2026-11-22T07:46:44Z");

test("a folder is made for its user alone, and is one server's at a time", async (context) => {
  const dir = join(temporaryFolder(context), "data");
  const folder = await claimDataFolder(dir);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  await expect(claimDataFolder(dir)).rejects.toMatchObject({
    code: "usage/invalid",
    message: `process ${process.pid} uses ${dir} already`,
  });
  await folder.release();
  await (await claimDataFolder(dir)).release();
});

test("files of ours in a folder that others may enter are closed to them; what is not ours is left alone", async (context) => {
  const dir = temporaryFolder(context);
  chmodSync(dir, 0o755);
  await (await claimDataFolder(dir)).release();
  const modes: Readonly<Record<string, number>> = {
    "fairway.db": 0o644,
    "fairway.db.replaced-1": 0o640,
    token: 0o666,
    "fairway.db-wal": 0o600,
    notes: 0o644,
  };
  for (const [name, mode] of Object.entries(modes)) {
    writeFileSync(join(dir, name), "");
    chmodSync(join(dir, name), mode);
  }
  const folder = await claimDataFolder(dir);
  context.onTestFinished(folder.release);
  expect(folder.isOpen).toBe(true);
  expect([...folder.tightened].sort()).toEqual(["fairway.db", "fairway.db.replaced-1", "token"]);
  for (const name of Object.keys(modes)) {
    expect([name, statSync(join(dir, name)).mode & 0o777]).toEqual([name, name === "notes" ? 0o644 : 0o600]);
  }
  expect(statSync(dir).mode & 0o777).toBe(0o755);
});

test("a server that was killed keeps no folder", async (context) => {
  const dir = temporaryFolder(context);
  const module = new URL("../../src/app/data-folder.ts", import.meta.url).href;
  const script = `const { claimDataFolder } = await import("${module}"); await claimDataFolder(process.argv[1]); process.kill(process.pid, "SIGKILL");`;
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script, dir]);
  expect(signal).toBe("SIGKILL");
  await (await claimDataFolder(dir)).release();
});

test("a backup of a store in use, restored: the same rules, and revisions that were never given out before", async (context) => {
  const dir = temporaryFolder(context);
  const folder = await claimDataFolder(dir);
  const { store, close } = await openStore(context, { file: databaseFile(dir) });
  await store.write(change([service("a"), service("b")]));
  const backup = join(dir, "backup.db");
  await backupStore(dir, backup);
  const saved = store.documents();
  await store.write(change([service("a", "later")]));
  expect(describeStore(dir)).toMatchObject({
    revision: 2,
    rows: { rule_heads: 2, rule_versions: 3 },
  });
  await expect(restoreStore(dir, backup, atMs)).rejects.toMatchObject({ code: "usage/invalid" });
  await close();
  await folder.release();

  const kept = join(dir, "fairway.db.replaced-20261122T074644Z");
  expect(await restoreStore(dir, backup, atMs)).toEqual({
    layout: describeStore(dir).layout.ours,
    kept,
    since: { stillRevoked: [], revivedTokens: [], revivedServices: [], revivedInstances: [] },
  });
  const again = (await openStore(context, { file: databaseFile(dir) })).store;
  expect(again.documents()).toEqual(saved);
  expect(again.revision()).toBe(3);
  expect(again.eventsAfter({ revision: 2, index: 1 })).toBe("gone");
  const stale = change([service("a", "x", { kind: "unchanged-since", revision: 2 })]);
  expect(told(await again.write(stale))).toBe("conflict: a");
  const fresh = change([service("a", "x", { kind: "unchanged-since", revision: 3 })]);
  expect(told(await again.write(fresh))).toBe("4: a configured");
  expect(again.get(key("a"))?.uid).toBe(saved[0]?.uid);
});

test("an upgrade of the first layout keeps rules, their history and answers; watches begin anew", async (context) => {
  const dir = temporaryFolder(context);
  const file = databaseFile(dir);
  const db = openDatabaseFile({ file, format: { ...storeFormat, layout: storeFormat.layout.slice(0, 3) } });
  const { text, json } = service("a");
  const version = db.prepare(
    `INSERT INTO rule_versions (key, owner, revision, replaced_in, kind, namespace, name, labels, uid, generation,
       created_at_ms, created_by, updated_at_ms, updated_by, format, text, json)
     VALUES (?, 'store', ?, ?, 'VirtualService', 'default', 'a', '{}', 'u', 1, 1, 'ann', 1, 'ann', 'yaml', ?, ?)`,
  );
  const texts = [text, json] as const;
  db.exec("INSERT INTO rule_revisions (number, at_ms, by_whom) VALUES (1, 1, 'ann'), (2, 1, 'ann')");
  version.run(key("a"), 1, 2, ...texts);
  version.run(key("a"), 2, null, ...texts);
  db.prepare("INSERT INTO rule_heads VALUES (?, 'store', 2)").run(key("a"));
  db.exec("INSERT INTO rule_events VALUES (1, 1, 'added', 1), (2, 1, 'modified', 2)");
  db.exec("UPDATE rule_state SET revision = 2");
  db.prepare("INSERT INTO rule_outcomes (by_whom, idempotency_key, revision, results) VALUES ('ann', 'k', 1, ?)").run(
    JSON.stringify([{ key: key("a"), action: "created", version: 1 }]),
  );
  db.close();

  await upgradeStore(dir, atMs);
  const { store, close } = await openStore(context, { file });
  expect(store.documents()).toMatchObject([{ name: "a", revision: 2, text }]);
  expect(store.eventsAfter({ revision: 1, index: 1 })).toBe("gone");
  expect(store.eventsAfter({ revision: 2, index: Number.POSITIVE_INFINITY })).toEqual([]);
  expect(told(await store.write(change([service("b")], [], keyed("k", "any"))))).toBe("1: a created");
  await close();
  const [state] = reading(file, (upgraded) => upgraded.prepare("SELECT replaced_bytes FROM rule_state").all());
  expect(state).toEqual({ replaced_bytes: Buffer.byteLength(text + json) });
});

test("an upgrade of what is up to date does nothing", async (context) => {
  const dir = temporaryFolder(context);
  const { close } = await openStore(context, { file: databaseFile(dir) });
  await close();
  const { found, ours } = describeStore(dir).layout;
  expect(await upgradeStore(dir, atMs)).toEqual({ from: found, to: ours });
});
