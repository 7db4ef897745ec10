import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { databaseFile, openStoreDatabase } from "../../src/app/data-folder.ts";
import { backupStore, restoreStore } from "../../src/app/store-maintenance.ts";
import { createLog } from "../../src/base/log.ts";
import { openRestRegistry } from "../../src/registry/rest/rest-registry.ts";
import { createTokens } from "../../src/security/tokens.ts";
import { temporaryFolder } from "../config/store-support.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const log = createLog({ level: "silent", format: "json", write: () => {} });
const atMs = Date.parse("2026-11-22T07:46:44Z");
const host = "carts.shop.svc.cluster.local";
const ports = [{ name: "http", number: 80 }];

/** The parts of a server that keep something in `dir`. */
async function open(dir: string) {
  const clock = createFakeClock(atMs);
  const { call, close } = await openStoreDatabase(databaseFile(dir));
  const tokens = createTokens({ call, clock, log });
  const rest = await openRestRegistry({ call, clock, log });
  const create = async (name: string): Promise<string> => {
    const outcome = await tokens.create({ name, role: "admin" }, "test");
    return outcome.kind === "created" ? outcome.text : expect.fail(outcome.kind);
  };
  return {
    ...{ tokens, create, api: rest.registrations },
    close: async () => {
      await rest.close();
      await close();
    },
  };
}

/** A store, and a backup that somebody may be sorry for. */
async function withBackup(context: Pick<TestContext, "onTestFinished">) {
  const dir = temporaryFolder(context);
  const backup = join(dir, "backup.db");
  const store = await open(dir);
  const texts = { leaked: await store.create("leaked"), good: await store.create("good") };
  await store.api.putService(host, { ports }, "test");
  const items = ["leased", "kept", "stays"].map((id) => ({ id, address: "10.0.0.1" }));
  const instances = items.map((item) => (item.id === "leased" ? { ...item, ttl: "10s" } : item));
  await store.api.putInstances(host, { instances }, "test");
  await store.api.putService("old.example.com", { ports }, "test");
  await backupStore(dir, backup);
  return { dir, backup, store, texts };
}

test("tokens that were revoked since the backup stay revoked", async (context) => {
  const { dir, backup, store, texts } = await withBackup(context);
  await store.tokens.revoke("leaked", "anna");
  await store.close();
  expect(await restoreStore(dir, backup, atMs)).toMatchObject({
    since: { stillRevoked: ["leaked"], revivedTokens: [] },
  });
  const again = await open(dir);
  expect(await again.tokens.verify(texts.leaked)).toMatchObject({
    kind: "invalid",
    reason: "revoked",
    token: { revokedBy: "anna" },
  });
  expect(await again.tokens.verify(texts.good)).toMatchObject({ kind: "valid" });
  await again.close();
});

test("also when it is restored once more", async (context) => {
  const { dir, backup, store, texts } = await withBackup(context);
  await store.tokens.revoke("leaked", "anna");
  await store.close();
  await restoreStore(dir, backup, atMs);
  await restoreStore(dir, backup, atMs + 1_000);
  const again = await open(dir);
  expect(await again.tokens.verify(texts.leaked)).toMatchObject({ reason: "revoked" });
  await again.close();
});

test("what counts again, or is registered again, is named", async (context) => {
  const { dir, backup, store } = await withBackup(context);
  await store.api.deleteInstance(host, "leased", "test");
  await store.api.deleteInstance(host, "kept", "test");
  await store.api.deleteService("old.example.com", "test");
  await store.close();
  const { since } = await restoreStore(dir, backup, atMs);
  expect(since).toEqual({
    stillRevoked: [],
    revivedTokens: [],
    revivedServices: ["old.example.com"],
    revivedInstances: [
      { name: `${host}/kept`, hasLease: false },
      { name: `${host}/leased`, hasLease: true },
    ],
  });
  const again = await open(dir);
  expect(again.api.instances(host)?.map(({ id }) => id)).toEqual(["kept", "leased", "stays"]);
  await again.close();
});

test("a token that the other store never knew, or has forgotten", async (context) => {
  const { backup, store } = await withBackup(context);
  await store.close();
  const dir = temporaryFolder(context);
  await (await open(dir)).close();
  const { since } = await restoreStore(dir, backup, atMs);
  expect([...(since?.revivedTokens ?? [])].sort()).toEqual(["good", "leaked"]);
});

test.each([
  ["a store that cannot be read", (file: string) => writeFileSync(file, "no database")],
  ["no store", (file: string) => rmSync(file)],
])("in the place of %s nothing is known of what happened since", async (_what, spoil) => {
  const { dir, backup, store } = await withBackup({ onTestFinished });
  await store.close();
  spoil(databaseFile(dir));
  const { since } = await restoreStore(dir, backup, atMs);
  expect(since).toBeUndefined();
  expect(existsSync(databaseFile(dir))).toBe(true);
});
