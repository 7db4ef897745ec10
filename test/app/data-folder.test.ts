import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claimDataFolder, databaseFile } from "../../src/app/data-folder.ts";
import { backupStore, describeStore, restoreStore, upgradeStore } from "../../src/app/store-maintenance.ts";
import { change, key, openStore, service, temporaryFolder, told } from "../config/store-support.ts";

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
  expect(await restoreStore(dir, backup, atMs)).toEqual({ layout: describeStore(dir).layout.ours, kept });
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

test("an upgrade of what is up to date does nothing", async (context) => {
  const dir = temporaryFolder(context);
  const { close } = await openStore(context, { file: databaseFile(dir) });
  await close();
  const { found, ours } = describeStore(dir).layout;
  expect(await upgradeStore(dir, atMs)).toEqual({ from: found, to: ours });
});
