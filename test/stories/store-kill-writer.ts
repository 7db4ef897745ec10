import { writeSync } from "node:fs";
import { claimDataFolder, openStoreDatabase } from "../../src/app/data-folder.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createLog } from "../../src/base/log.ts";
import { openSqliteStore } from "../../src/config/sqlite-store.ts";
import { change, service } from "../config/store-support.ts";

/** Writes until it is killed: each lane its own documents, all of them the same in one change. Prints each answered change. */
const [dir = "", lanes = "1"] = process.argv.slice(2);
const { file } = await claimDataFolder(dir);
const { call } = await openStoreDatabase(file);
const log = createLog({ level: "silent", format: "json", write: () => {} });
const store = await openSqliteStore({ call, clock: systemClock, log, options: { historyRevisions: 50 } });

async function write(lane: string): Promise<never> {
  for (;;) {
    const host = `h${store.revision()}`;
    const outcome = await store.write(change(["x", "y", "z"].map((name) => service(`${lane}-${name}`, host))));
    if (outcome.kind === "written") writeSync(1, `${lane} ${outcome.revision} ${host}\n`);
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, (_, lane) => write(`lane${lane}`)));
