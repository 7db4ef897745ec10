import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type FileRead, type FileText, type ReadLimits, readFiles } from "../base/read-files.ts";
import { createSignal, type Signal } from "../base/signal.ts";
import { watchFiles } from "../base/watch-files.ts";
import { defaultTextLimits } from "../base/yaml-document.ts";
import { loadRuleSet } from "./load.ts";
import { emptyRuleSet, type RuleSet } from "./rule-set.ts";

/** A rule store over files and directories of YAML or JSON: it reads and watches them, and never writes. */
export interface FileStore {
  /** The rules as last read; the last good ones where what is there now cannot be read. */
  readonly ruleSet: Signal<RuleSet>;
  readonly close: () => Promise<void>;
}

export interface FileStoreOptions {
  /** Files, and directories that are read with all that is below them. The first document with a key counts. */
  readonly paths: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
}

const limits: ReadLimits = { maxFileBytes: defaultTextLimits.maxLength, maxFiles: 10_000 };

/** Reads the rules once. What cannot be read is a finding of the rule set, not an error. */
export async function readRules(paths: readonly string[]): Promise<RuleSet> {
  return loadRuleSet(emptyRuleSet, await readFiles({ paths, limits }));
}

/** Opens the store; resolves when everything was read once. Paths that are not there yet are waited for. */
export async function openFileStore({ paths, log, clock }: FileStoreOptions): Promise<FileStore> {
  let texts: ReadonlyMap<string, FileText> = new Map();
  let reading: Promise<void> = Promise.resolve();
  let closed = false;
  const ruleSet = createSignal(emptyRuleSet);

  const load = async () => {
    const files = keepUnchanged(texts, await watch.read());
    if (closed) return;
    texts = new Map(files.flatMap((file) => (file.kind === "text" ? [[file.file, file]] : [])));
    const next = loadRuleSet(ruleSet.value, files);
    logNews(ruleSet.value, next, log);
    ruleSet.set(next);
  };
  // One after the other, in the order of the changes: an old text never overtakes a new one.
  const loadNext = () => {
    reading = reading.then(load).catch((error: unknown) => log.error({ err: error }, "cannot read the rules"));
    return reading;
  };

  const watch = await watchFiles({ paths, limits, clock, log, onChange: loadNext });
  await loadNext();
  return {
    ruleSet,
    close: async () => {
      closed = true;
      await watch.close();
      await reading;
    },
  };
}

/** Equal texts are the same objects, so that what was decoded from them is used again. */
function keepUnchanged(previous: ReadonlyMap<string, FileText>, files: readonly FileRead[]): readonly FileRead[] {
  return files.map((file) => {
    const before = previous.get(file.file);
    return file.kind === "text" && before?.text === file.text ? before : file;
  });
}

function logNews(previous: RuleSet, next: RuleSet, log: Log): void {
  if (next.revision !== previous.revision) log.info({ revision: next.revision, rules: next.rules.size }, "rules read");
}
