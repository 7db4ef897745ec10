import type { Clock } from "../base/clock.ts";
import type { Call } from "../base/database.ts";
import { MeshError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { createSignal } from "../base/signal.ts";
import { type ChangeAnswer, isSameText } from "./change-rules.ts";
import { type RuleKey, ruleKey } from "./rule.ts";
import type { ruleProcedures } from "./rule-procedures.ts";
import type { RuleDocument } from "./rule-set.ts";
import type {
  ChangeOutcome,
  DocumentDelete,
  DocumentEvent,
  DocumentOwner,
  DocumentPut,
  DocumentResult,
  RuleChange,
  RuleStore,
  StoredDocument,
} from "./store.ts";
import { createEventMemory } from "./store-events.ts";
import { createDocumentMemory } from "./store-memory.ts";
import { createStoreMeter, type WriteResult } from "./store-metrics.ts";
import { nextStoreRules, noStoreRules, type StoreRules } from "./store-rule-set.ts";

export interface SqliteStoreOptions {
  /** Replaced versions are kept for this many revisions. Default 10 000. */
  readonly historyRevisions?: number;
  /** Events that are remembered for watches that come back. Default 4096. */
  readonly rememberedEvents?: number;
}

export interface SqliteStoreParts {
  readonly call: Call<typeof ruleProcedures>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  readonly options?: SqliteStoreOptions;
}

const defaultHistoryRevisions = 10_000;
const defaultRememberedEvents = 4_096;
/** Read and decoded in one go at the start; between two pages others have their turn. */
const pageSize = 200;

type Changes = ReadonlyMap<RuleKey, StoredDocument | undefined>;

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
  const { historyRevisions = defaultHistoryRevisions, rememberedEvents = defaultRememberedEvents } = options;
  const meter = metrics && createStoreMeter(metrics);
  const memory = createDocumentMemory();
  const recent = await call("readRuleEvents", { limit: rememberedEvents });
  const events = createEventMemory(recent, rememberedEvents);
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
  let answered: (readonly DocumentEvent[])[] = [];
  let applying: Promise<void> | undefined;
  let recording: Promise<void> = Promise.resolve();
  let writing = 0;
  let idle: (() => void) | undefined;

  /** Changes that were committed together are answered together; memory follows them in one go. */
  const apply = () => {
    applying = undefined;
    const revisions = answered;
    answered = [];
    const all = revisions.flat();
    for (const owner of ["store", "directory"] as const) memory.change(owner, changesOf(all, owner));
    events.append(all);
    revision = all.at(-1)?.revision ?? revision;
    count();
    followOwn(changesOf(all, "store"));
    for (const listener of listeners) {
      for (const ofRevision of revisions) guarded(log, () => listener(ofRevision));
    }
  };

  const followOwn = (changes: Changes) => {
    if (changes.size === 0) return;
    rules = nextStoreRules(rules, changes);
    for (const key of changes.keys()) logRefused(rules.entries.get(key)?.document, log);
    guarded(log, () => ruleSet.set(rules.ruleSet));
  };

  /** Resolves after memory has followed. Everything that writes goes this one way, so that revisions come in their order. */
  const commit = async (change: RuleChange, owner: DocumentOwner): Promise<ChangeOutcome> => {
    writing++;
    try {
      const answer = await call("changeRules", { change, owner, atMs: clock.now(), historyRevisions });
      const news = eventsOf(answer);
      if (news.length > 0) {
        answered.push(news);
        applying ??= Promise.resolve().then(apply);
      }
      await applying;
      return outcomeOf(answer);
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
    const { change, moved } = journalChange(memory.of("directory"), puts);
    memory.change("directory", moved);
    if (change.puts.length + change.deletes.length > 0) await metered(change, "directory");
  };

  return {
    revision: () => revision,
    get: memory.get,
    own: (key) => memory.of("store").get(key),
    documents: memory.all,
    ruleSet,
    write: (change) => metered(change, "store"),
    record: (puts) => {
      recording = recording
        .then(() => record(puts))
        .catch((error: unknown) => log.error({ err: error }, "cannot write down the rules of the directories"));
      return recording;
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

const byKey = (documents: readonly StoredDocument[]): Changes =>
  new Map(documents.map((document) => [document.key, document]));

const changesOf = (events: readonly DocumentEvent[], owner: DocumentOwner): Changes =>
  new Map(
    events
      .filter(({ document }) => document.owner === owner)
      .map(({ kind, document }) => [document.key, kind === "deleted" ? undefined : document]),
  );

const eventKinds: Readonly<Record<DocumentResult["action"], DocumentEvent["kind"] | undefined>> = {
  created: "added",
  configured: "modified",
  deleted: "deleted",
  unchanged: undefined,
};

function eventsOf(answer: ChangeAnswer): readonly DocumentEvent[] {
  if (answer.kind === "conflict" || answer.repeated) return [];
  const { revision, results } = answer;
  return results
    .flatMap(({ action, document }) => {
      const kind = eventKinds[action];
      return kind === undefined || document === undefined ? [] : [{ kind, document }];
    })
    .map(({ kind, document }, at) => ({ kind, revision, index: at + 1, document }));
}

const outcomeOf = (answer: ChangeAnswer): ChangeOutcome =>
  answer.kind === "conflict" ? answer : { kind: "written", revision: answer.revision, results: answer.results };

/** What changed since the directories were written down last, and what only stands elsewhere now. */
function journalChange(
  known: ReadonlyMap<RuleKey, StoredDocument>,
  puts: readonly Omit<DocumentPut, "expect">[],
): { readonly change: RuleChange; readonly moved: Changes } {
  const any = { kind: "any" } as const;
  const changed: DocumentPut[] = [];
  const moved = new Map<RuleKey, StoredDocument>();
  const gone = new Set(known.keys());
  for (const put of puts) {
    const key = ruleKey(put.kind, put.namespace, put.name);
    const before = known.get(key);
    gone.delete(key);
    if (before === undefined || !isSameText(before, put)) changed.push({ ...put, expect: any });
    else if (!isSameSource(before, put)) moved.set(key, { ...before, ...(put.source && { source: put.source }) });
  }
  const deletes = [...gone].map((key): DocumentDelete => ({ key, expect: any }));
  return { change: { puts: changed, deletes, by: "directory" }, moved };
}

const isSameSource = ({ source: a }: StoredDocument, { source: b }: Pick<DocumentPut, "source">): boolean =>
  b === undefined || (a?.file === b.file && a.line === b.line);

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
