import type { Clock } from "../base/clock.ts";
import type { Call } from "../base/database.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createSignal } from "../base/signal.ts";
import type { ChangeInput, News } from "./change-rules.ts";
import { readRecentEvents } from "./read-recent-events.ts";
import { type RuleKey, ruleKey } from "./rule.ts";
import type { ruleProcedures } from "./rule-procedures.ts";
import type { RuleDocument } from "./rule-set.ts";
import type {
  ChangeOutcome,
  DocumentDelete,
  DocumentEvent,
  DocumentOwner,
  DocumentPut,
  RuleChange,
  RuleStore,
  StoredDocument,
} from "./store.ts";
import { createEventMemory } from "./store-events.ts";
import { createDocumentMemory, type DocumentChanges } from "./store-memory.ts";
import { createStoreMeter, type WriteResult } from "./store-metrics.ts";
import { nextStoreRules, noStoreRules, type StoreRules } from "./store-rule-set.ts";
import { isSameSource, isSameText } from "./write-step.ts";

export interface SqliteStoreOptions {
  /** Replaced versions are kept for this many revisions. Default 10 000. */
  readonly historyRevisions?: number;
  /** Of the texts of replaced versions; the oldest go first. Default 1 GiB. */
  readonly historyBytes?: number;
  /** Events that are remembered for watches that come back. Default 4096. */
  readonly rememberedEvents?: number;
  /** Of the texts of these events, in UTF-16 units. Default 64 Mi. */
  readonly rememberedLength?: number;
}

export interface SqliteStoreParts {
  readonly call: Call<typeof ruleProcedures>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly options?: SqliteStoreOptions;
}

const defaultHistoryRevisions = 10_000;
const defaultHistoryBytes = 1024 ** 3;
const defaultRememberedEvents = 4_096;
const defaultRememberedLength = 64 * 1024 ** 2;
/** Read and decoded in one go at the start; between two pages others have their turn. */
const pageSize = 200;

/**
 * The rule store over a database. All present documents are in memory, so reading never waits; what others may see is on the disk
 * already. The database stays open when the store is closed.
 */
export async function openSqliteStore({
  call,
  clock,
  log,
  metrics,
  options = {},
}: SqliteStoreParts): Promise<RuleStore> {
  const {
    historyRevisions = defaultHistoryRevisions,
    historyBytes = defaultHistoryBytes,
    rememberedEvents = defaultRememberedEvents,
    rememberedLength = defaultRememberedLength,
  } = options;
  const meter = metrics && createStoreMeter(metrics);
  const memory = createDocumentMemory();
  const bounds = { events: rememberedEvents, length: rememberedLength };
  const recent = await readRecentEvents(call, bounds);
  const events = createEventMemory(recent, bounds);
  let { revision } = recent;
  let rules: StoreRules = noStoreRules;
  await readAll(call, (documents) => {
    for (const owner of ["store", "directory"] as const) {
      memory.change(owner, byKey(documents.filter((document) => document.owner === owner)));
    }
    rules = nextStoreRules(rules, byKey(documents.filter(({ owner }) => owner === "store")));
  });
  for (const document of rules.ruleSet.documents) logRefused(document, log);
  const count = () => meter?.present(revision, memory.of("store").size + memory.of("directory").size);
  count();

  const ruleSet = createSignal(rules.ruleSet);
  const listeners = new Set<(events: readonly DocumentEvent[]) => void>();
  let heard: OwnersNews[] = [];
  let applying: Promise<void> | undefined;
  let recording: Promise<void> = Promise.resolve();
  let writing = 0;
  let idle: (() => void) | undefined;

  /** Changes that were committed together are answered together; memory follows them in one go. */
  const apply = () => {
    applying = undefined;
    const all = heard;
    heard = [];
    const ofStore = documentsOf(all, "store");
    memory.change("store", ofStore);
    memory.change("directory", documentsOf(all, "directory"));
    for (const news of all) events.append(news.revision, news.events);
    revision = all.at(-1)?.revision ?? revision;
    count();
    followOwn(ofStore);
    for (const listener of listeners) {
      for (const news of all) if (news.events.length > 0) guarded(log, () => listener(news.events));
    }
  };

  const followOwn = (changes: DocumentChanges) => {
    if (changes.size === 0) return;
    rules = nextStoreRules(rules, changes);
    for (const key of changes.keys()) logRefused(rules.entries.get(key)?.document, log);
    guarded(log, () => ruleSet.set(rules.ruleSet));
  };

  const inputOf = (change: RuleChange, owner: DocumentOwner): ChangeInput => ({
    ...{ change, owner, atMs: clock.now() },
    history: { revisions: historyRevisions, bytes: historyBytes },
  });

  /** Resolves after memory has followed. Everything that writes goes this one way, so that revisions come in their order. */
  const commit = async (change: RuleChange, owner: DocumentOwner): Promise<ChangeOutcome> => {
    writing++;
    try {
      const { news, ...outcome } = await call("changeRules", inputOf(change, owner));
      if (news !== undefined) {
        heard.push({ ...news, owner });
        applying ??= Promise.resolve().then(apply);
      }
      await applying;
      return outcome;
    } finally {
      writing--;
      if (writing === 0) idle?.();
    }
  };

  const metered = async (change: RuleChange, owner: DocumentOwner): Promise<ChangeOutcome> => {
    const since = clock.now();
    let result: WriteResult = "failed";
    try {
      const outcome = await commit(change, owner);
      result = outcome.kind;
      return outcome;
    } finally {
      meter?.write(result, clock.now() - since);
    }
  };

  const record = async (puts: readonly Omit<DocumentPut, "expect">[]): Promise<void> => {
    const change = journalChange(memory.of("directory"), puts);
    if (change.puts.length + change.deletes.length > 0) await metered(change, "directory");
  };

  return {
    revision: () => revision,
    get: memory.get,
    own: (key) => memory.of("store").get(key),
    documents: memory.all,
    ruleSet,
    write: (change) => metered(change, "store"),
    preview: (change) => call("previewRules", inputOf(change, "store")),
    outcomeOf: (by, idempotency) => call("readOutcome", { by, idempotency }),
    record: (puts) => {
      const recorded = recording.then(() => record(puts));
      recording = recorded.catch(() => {});
      return recorded;
    },
    eventsAfter: events.after,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      await recording;
      if (writing > 0) await new Promise<void>((resolve) => (idle = resolve));
      listeners.clear();
    },
  };
}

async function readAll(
  call: Call<typeof ruleProcedures>,
  take: (documents: readonly StoredDocument[]) => void,
): Promise<void> {
  let last: StoredDocument | undefined;
  for (;;) {
    const page = await call("readRules", { limit: pageSize, ...(last && { after: last }) });
    take(page);
    last = page.at(-1);
    if (page.length < pageSize) return;
  }
}

/** Of one commit, and whose documents it changed. */
interface OwnersNews extends News {
  readonly owner: DocumentOwner;
}

const byKey = (documents: readonly StoredDocument[]): DocumentChanges =>
  new Map(documents.map((document) => [document.key, document]));

const documentsOf = (all: readonly OwnersNews[], owner: DocumentOwner): DocumentChanges =>
  new Map(all.flatMap((news) => (news.owner === owner ? news.documents : [])));

/** What is other than when the directories were written down last. */
function journalChange(
  known: ReadonlyMap<RuleKey, StoredDocument>,
  puts: readonly Omit<DocumentPut, "expect">[],
): RuleChange {
  const any = { kind: "any" } as const;
  const gone = new Set(known.keys());
  const changed: DocumentPut[] = [];
  for (const put of puts) {
    const key = ruleKey(put.kind, put.namespace, put.name);
    const before = known.get(key);
    gone.delete(key);
    if (before === undefined || !isSameText(before, put) || !isSameSource(before, put)) {
      changed.push({ ...put, expect: any });
    }
  }
  const deletes = [...gone].map((key): DocumentDelete => ({ key, expect: any }));
  return { puts: changed, deletes, by: "directory" };
}

/** A listener that fails must not make a change fail that is on the disk. */
function guarded(log: Log, task: () => void): void {
  try {
    task();
  } catch (error) {
    log.error({ err: MeshError.from(error) }, "somebody who heard of a change of rules failed");
  }
}

function logRefused(document: RuleDocument | undefined, log: Log): void {
  if (document?.verdict !== "refused") return;
  const { findings, kind, namespace, name } = document;
  for (const { severity: _severity, message, ...finding } of findings) {
    log.error({ ...finding, kind, namespace, name, problem: message }, "a stored rule is out of force");
  }
}
