import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { contentHash } from "../../base/digest.ts";
import type { Log } from "../../base/log.ts";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../../base/private-file.ts";
import type { GuardedRegistry, LastGood } from "../guard/guarded.ts";
import { type Owner, readSaved, savedText } from "./format.ts";

/** A registry's last good catalog on the disk. */
export interface SavedCatalog {
  /** As it was found; undefined: there was none of use. */
  readonly lastGood: LastGood | undefined;
  /** Writes down from now on what is served of the registry, some seconds after it has changed, and when the registry is closed. */
  readonly keep: (registry: GuardedRegistry) => GuardedRegistry;
}

export interface SavedCatalogOptions {
  /** For its user alone; made when it is missing. */
  readonly folder: string;
  readonly owner: Owner;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between a change and the write; longer where writing takes long, but no longer than this. */
const [delayMs, maxDelayMs] = [2_000, 60_000];

/** Of the time, the part that writing may take: 10,000 instances that change all the time are written each ten seconds. */
const share = 1 / 200;

/** Some 600,000 instances. */
const maxBytes = 256 * 1024 * 1024;

/** One file for each registry and place, replaced as a whole. What cannot be read is told, ignored, and kept under another name. */
export async function openSavedCatalog({ folder, owner, clock, log }: SavedCatalogOptions): Promise<SavedCatalog> {
  try {
    await makePrivateFolder(folder);
  } catch (error) {
    log.error({ folder, err: error }, "catalogs cannot be saved there");
    return { lastGood: undefined, keep: (registry) => registry };
  }
  const name = `${owner.registry}-${contentHash(owner.place).slice(0, 8)}.jsonl`;
  const file = join(folder, name);
  await removeHalves(folder, name);
  const lastGood = await readFile(file, owner).catch(async (error: unknown) => {
    const kept = `${file}.unreadable-${clock.now()}`;
    log.error({ file, kept, reason: String(error) }, "a saved catalog cannot be read; it is ignored");
    await rename(file, kept).catch(() => {});
    return undefined;
  });
  return { lastGood, keep: (registry) => keep(registry, { file, owner, clock, log, lastGood }) };
}

async function readFile(file: string, owner: Owner): Promise<LastGood | undefined> {
  const content = await readPrivateFile(file, maxBytes);
  if (content === undefined) return undefined;
  const read = readSaved(content, owner);
  if (typeof read === "string") throw new Error(read);
  return read;
}

/** What a process left behind that was killed while it wrote. */
async function removeHalves(folder: string, name: string): Promise<void> {
  const halves = (await readdir(folder)).filter((each) => each.startsWith(`.${name}.`));
  for (const half of halves) await rm(join(folder, half), { force: true });
}

interface Keeping extends Omit<SavedCatalogOptions, "folder"> {
  readonly file: string;
  readonly lastGood: LastGood | undefined;
}

function keep(registry: GuardedRegistry, { file, owner, clock, log, lastGood }: Keeping): GuardedRegistry {
  let written: Pick<LastGood, "catalog" | "hold"> | undefined = lastGood;
  let running = Promise.resolve();
  let isWaiting = false;
  let pauseMs = delayMs;
  let cancel = () => {};

  const now = (): LastGood | undefined => {
    const catalog = registry.catalog.value;
    const { hold, asOf = clock.now() } = registry.health.value;
    return catalog && { catalog, savedAt: asOf, ...(hold && { hold }) };
  };

  const write = async (isLast = false): Promise<void> => {
    const next = now();
    if (next === undefined) return;
    const isSame = next.catalog === written?.catalog && next.hold === written.hold;
    // At the end, when it was good was until now.
    if (isSame && (!isLast || registry.health.value.asOf !== undefined)) return;
    const beganAt = clock.monotonic();
    try {
      await writePrivateFile(file, savedText(owner, next));
      written = next;
    } catch (error) {
      log.error({ file, err: error }, "a catalog cannot be saved; it is tried again when it changes");
    }
    pauseMs = Math.min(maxDelayMs, Math.max(delayMs, (clock.monotonic() - beganAt) / share));
  };

  const onChange = (): void => {
    if (isWaiting) return;
    isWaiting = true;
    cancel = clock.after(pauseMs, () => {
      isWaiting = false;
      running = running.then(() => write());
    });
  };

  const stops = [registry.catalog.subscribe(onChange), registry.health.subscribe(onChange)];
  onChange();
  return {
    ...registry,
    close: async () => {
      for (const stop of stops) stop();
      cancel();
      running = running.then(() => write(true));
      await running;
      await registry.close();
    },
  };
}
