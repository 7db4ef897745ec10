import { hash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startChild } from "../../src/app/child.ts";
import { databaseFile } from "../../src/app/data-folder.ts";
import { openStore, temporaryFolder } from "../config/store-support.ts";

const writer = fileURLToPath(new URL("./store-kill-writer.ts", import.meta.url));
const kills = Number(process.env["FAIRWAY_KILLS"] ?? 20);
const lanes = 3;
const maxDelayMs = 60;

interface Answered {
  readonly revision: number;
  readonly host: string;
}

/** Between 0 and `maxDelayMs`, the same in every run. */
const delayOf = (seed: string): number => (hash("sha256", seed, "buffer").readUInt16BE() / 65_536) * maxDelayMs;

/** Writes, and is killed a moment after its first answers. */
async function writeAndDie(dir: string, delayMs: number, answered: Map<string, Answered>): Promise<void> {
  const first = Promise.withResolvers<void>();
  const other: string[] = [];
  const child = await startChild({
    command: process.execPath,
    args: [writer, dir, String(lanes)],
    onLine: (line) => {
      const [, lane, revision, host] = /^(\w+) (\d+) (h\d+)$/.exec(line) ?? [];
      if (lane === undefined || host === undefined) other.push(line);
      else answered.set(lane, { revision: Number(revision), host });
      first.resolve();
    },
  });
  await Promise.race([first.promise, child.exited]);
  await delay(delayMs);
  process.kill(child.pid, "SIGKILL");
  await child.exited;
  // The last line may be half a line.
  expect(other.slice(0, -1)).toEqual([]);
}

/** What the file holds, seen without any code of ours. */
function check(dir: string, answered: ReadonlyMap<string, Answered>): void {
  const db = new DatabaseSync(databaseFile(dir));
  expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  expect(db.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  const rows = db
    .prepare("SELECT v.name, v.revision, v.json FROM rule_heads h JOIN rule_versions v ON v.id = h.version")
    .all();
  db.close();
  for (const [lane, { revision, host }] of answered) {
    const own = rows.filter(({ name }) => String(name).startsWith(`${lane}-`));
    expect(own).toHaveLength(3);
    const [stored] = own;
    expect(Number(stored?.["revision"])).toBeGreaterThanOrEqual(revision);
    if (stored?.["revision"] === revision) expect(stored["json"]).toContain(`"${host}"`);
    expect(new Set(own.map((row) => row["revision"])).size, "no half change").toBe(1);
  }
}

test(`${kills} times kill -9 in a stream of writes: what was answered is there, whole`, {
  timeout: 60_000 + kills * 2_000,
}, async (context) => {
  const series = await Promise.all(
    ["left", "right"].map(async (name) => {
      const dir = temporaryFolder(context);
      const answered = new Map<string, Answered>();
      for (let kill = 0; kill < kills / 2; kill++) {
        await writeAndDie(dir, delayOf(`${name} ${kill}`), answered);
        check(dir, answered);
      }
      return { dir, answered };
    }),
  );
  for (const { dir, answered } of series) {
    const { store } = await openStore(context, { file: databaseFile(dir) });
    expect(store.ruleSet.value.rules.size).toBe(lanes * 3);
    expect(store.revision()).toBeGreaterThanOrEqual(
      Math.max(...[...answered.values()].map(({ revision }) => revision)),
    );
  }
});
