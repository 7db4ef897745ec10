import { type FSWatcher, watch } from "node:fs";
import { basename } from "node:path";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import {
  type FileMatch,
  type FileRead,
  isYamlOrJson,
  type Listing,
  listFiles,
  type ReadLimits,
  readFiles,
} from "./read-files.ts";

export interface WatchFilesOptions {
  /** Files and directories; one that is not there yet is waited for. */
  readonly paths: readonly string[];
  readonly match?: FileMatch;
  readonly limits?: ReadLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** Something was written, added or removed, and all is quiet again. Contents may still be equal: compare. */
  readonly onChange: () => void;
}

export interface FileWatch {
  /** All files as they are now. */
  readonly read: () => Promise<readonly FileRead[]>;
  readonly close: () => Promise<void>;
}

/** A change is reported when nothing was written for this long, so that a half-written file is not read. */
const settleMs = 40;
/** A file that vanished or became empty is likely about to be written again (truncate, delete and create). */
const goneSettleMs = 500;
/** Files that never come to rest are reported this often all the same. */
const maxWaitMs = 2_000;
/** Finds what events do not tell: network file systems, replaced directories, link targets. */
const pollMs = 2_000;

/**
 * Watches files and directories. Truth is a repeated look at the listing; file-system events only make the next look come
 * sooner, so that renames, re-created directories, swapped symbolic links and missing events all come out right.
 */
export async function watchFiles(options: WatchFilesOptions): Promise<FileWatch> {
  const { clock, log, match = isYamlOrJson } = options;
  const watchers = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>();
  let reported = await listFiles(options);
  let last = reported;
  /** Since when, and until when last, something has been changing; undefined: at rest. */
  let change: { readonly since: number; readonly latest: number } | undefined;
  let nextLook: { readonly at: number; readonly cancel: () => void } | undefined;
  let looking: Promise<void> | undefined;
  /** An event came after the current look began, which may have missed it. */
  let hinted = false;
  let warned = false;
  let closed = false;

  const noteChange = () => {
    const now = clock.now();
    change = { since: change?.since ?? now, latest: now };
  };

  const lookWithin = (delayMs: number) => {
    const at = clock.now() + delayMs;
    if (closed || looking !== undefined || (nextLook !== undefined && nextLook.at <= at)) return;
    nextLook?.cancel();
    nextLook = { at, cancel: clock.after(delayMs, look) };
  };

  const look = () => {
    nextLook = undefined;
    hinted = false;
    looking = lookOnce()
      .catch((error: unknown) => log.warn({ err: error }, "cannot look at watched files"))
      .finally(() => {
        looking = undefined;
        lookWithin(hinted ? Math.min(settleMs, restMs()) : restMs());
      });
  };

  const lookOnce = async () => {
    const listing = await listFiles(options);
    if (closed) return;
    if (!sameListing(last, listing)) noteChange();
    last = listing;
    followDirectories(listing);
    if (change === undefined || restMs() > 0) return;
    change = undefined;
    reported = last;
    options.onChange();
  };

  /** How long the files may be left alone: until a change has settled, else until the next poll. */
  const restMs = (): number => {
    if (change === undefined) return pollMs;
    const quietMs = lostContent(reported, last) ? goneSettleMs : settleMs;
    return Math.max(0, Math.min(change.latest + quietMs, change.since + maxWaitMs) - clock.now());
  };

  const onEvent = (fileName: string | null) => {
    // Two writes within one tick of the file system's clock list the same: an event on a file of ours is a change in itself.
    const ours = fileName === null || match(fileName) || last.files.some(({ file }) => basename(file) === fileName);
    if (ours) noteChange();
    hinted = true;
    lookWithin(settleMs);
  };

  const followDirectories = ({ directories }: Listing) => {
    for (const [path, { identity }] of watchers) if (directories.get(path) !== identity) unwatch(path);
    for (const [path, identity] of directories) {
      if (watchers.has(path)) continue;
      try {
        const watcher = watch(path, { persistent: false }, (_event, fileName) => onEvent(fileName));
        watcher.on("error", () => unwatch(path));
        watchers.set(path, { identity, watcher });
      } catch (error) {
        if (!warned) log.warn({ path, pollMs, err: error }, "cannot watch a directory, polling it instead");
        warned = true;
      }
    }
  };

  const unwatch = (path: string) => {
    watchers.get(path)?.watcher.close();
    watchers.delete(path);
  };

  followDirectories(last);
  lookWithin(pollMs);
  return {
    read: () => readFiles(options),
    close: async () => {
      closed = true;
      nextLook?.cancel();
      for (const path of [...watchers.keys()]) unwatch(path);
      await looking;
    },
  };
}

function sameListing(a: Listing, b: Listing): boolean {
  const text = ({ files, problems }: Listing) =>
    [
      ...files.map(({ file, signature }) => `${file}\0${signature}`),
      ...problems.map((p) => `${p.file}\0${p.message}`),
    ].join("\n");
  return text(a) === text(b);
}

/** Did a file disappear, or lose all its text? */
function lostContent(before: Listing, after: Listing): boolean {
  const sizes = new Map(after.files.map(({ file, sizeBytes }) => [file, sizeBytes]));
  return before.files.some(({ file, sizeBytes }) => sizeBytes > 0 && (sizes.get(file) ?? 0) === 0);
}
