import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { openStoreDatabase } from "../../src/app/data-folder.ts";
import { createLog } from "../../src/base/log.ts";
import { parseDocuments } from "../../src/base/yaml-document.ts";
import { decodeRule } from "../../src/config/decode-rule.ts";
import { type RuleKey, ruleKey } from "../../src/config/rule.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/config/sqlite-store.ts";
import type { ChangeOutcome, DocumentPut, Expectation, RuleChange, RuleStore } from "../../src/config/store.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { virtualService } from "./support.ts";

type Context = Pick<TestContext, "onTestFinished">;

/** A folder that is gone after the test. */
export function temporaryFolder(context: Context): string {
  const dir = mkdtempSync(join(tmpdir(), "fairway-store-"));
  context.onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export interface TestStore {
  readonly store: RuleStore;
  readonly clock: FakeClock;
  readonly logged: readonly string[];
  /** Closes store and database; may be called before the end of the test. */
  readonly close: () => Promise<void>;
}

/** A store over a real database with a thread of its own. */
export async function openStore(
  context: Context,
  { file = ":memory:", options }: { readonly file?: string; readonly options?: SqliteStoreOptions } = {},
): Promise<TestStore> {
  const logged: string[] = [];
  const clock = createFakeClock();
  const database = await openStoreDatabase(file);
  const store = await openSqliteStore({
    call: database.call,
    clock,
    log: createLog({ level: "info", format: "json", write: (line) => logged.push(line) }),
    ...(options && { options }),
  });
  const close = async () => {
    await store.close();
    await database.close();
  };
  context.onTestFinished(close);
  return { store, clock, logged, close };
}

export const any: Expectation = { kind: "any" };

export const key = (name: string): RuleKey => ruleKey("VirtualService", "default", name);

/** A document as a change carries it. */
export function put(text: string, expect: Expectation = any, source?: DocumentPut["source"]): DocumentPut {
  const [document] = parseDocuments(text);
  if (document === undefined) throw new Error("no document");
  const { metadata, kind } = document.value as {
    readonly kind: "VirtualService";
    readonly metadata: { readonly name: string; readonly namespace?: string };
  };
  const { rule } = decodeRule(document, "");
  return {
    kind,
    namespace: metadata.namespace ?? "default",
    name: metadata.name,
    labels: rule?.labels ?? {},
    format: "yaml",
    text,
    json: JSON.stringify(document.value),
    expect,
    ...(source && { source }),
  };
}

/** A key for a change that is told apart from others by its `digest`. */
export const keyed = (idempotencyKey: string, digest = ""): Partial<RuleChange> => ({
  idempotency: { key: idempotencyKey, digest },
});

/** A VirtualService whose content is the host that it sends to. */
export const service = (name: string, host = name, expect: Expectation = any): DocumentPut =>
  put(virtualService(name, { host }), expect);

/** Hosts like `reviews` make a rule valid; this one does not. */
export const invalid = (name: string): DocumentPut =>
  put(`apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\nspec: {hosts: 7}\n`);

export const change = (
  puts: readonly DocumentPut[],
  deletes: RuleChange["deletes"] = [],
  rest: Partial<RuleChange> = {},
): RuleChange => ({ puts, deletes, by: "ann", ...rest });

/** `revision: name action, …`, the keys in conflict, or what else became of it. */
export function told(outcome: ChangeOutcome): string {
  if (outcome.kind === "key-reused") return outcome.kind;
  if (outcome.kind === "conflict") return `conflict: ${outcome.conflicts.map(({ key }) => nameOf(key)).join(", ")}`;
  return `${outcome.revision}: ${outcome.results.map(({ key, action }) => `${nameOf(key)} ${action}`).join(", ")}`;
}

export const nameOf = (ruleKey: RuleKey): string => ruleKey.split("/")[2] ?? "";
