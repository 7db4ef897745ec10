import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { DocumentEvent, Expectation, RuleStore } from "../../src/config/store.ts";
import { change, key, nameOf, openStore, service, type TestStore, temporaryFolder } from "./store-support.ts";

const names = ["a", "b", "c", "d"] as const;
type Name = (typeof names)[number];

interface Entry {
  readonly host: string;
  readonly revision: number;
  readonly generation: number;
}

/** The store as a plain map with all of its past. */
interface Model {
  entries: ReadonlyMap<Name, Entry>;
  revision: number;
  /** What was there after each revision. */
  past: (ReadonlyMap<Name, Entry> | undefined)[];
  events: string[];
}

const name = fc.constantFrom(...names);
const expectation = fc.oneof<fc.Arbitrary<Expectation>[]>(
  fc.constantFrom<Expectation>({ kind: "any" }, { kind: "absent" }, { kind: "present" }),
  fc.record({ kind: fc.constant("revision" as const), revision: fc.nat(8) }),
  fc.record({ kind: fc.constant("unchanged-since" as const), revision: fc.nat(8) }),
);
const put = fc.record({ name, host: fc.constantFrom("x", "y"), expect: expectation });
const removal = fc.record({ name, expect: expectation });
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      items: fc.uniqueArray(fc.oneof(put, removal), { selector: (item) => item.name, minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
);

function holds({ entries, revision, past }: Model, at: Name, expected: Expectation): boolean {
  const entry = entries.get(at);
  if (expected.kind === "any") return true;
  if (expected.kind === "absent") return entry === undefined;
  if (expected.kind === "present") return entry !== undefined;
  if (expected.kind === "revision") return entry?.revision === expected.revision;
  return expected.revision <= revision && past[expected.revision]?.get(at)?.revision === entry?.revision;
}

type Item = { readonly name: Name; readonly expect: Expectation; readonly host?: string };

/** The revision afterwards, or the names in conflict. */
function applyTo(model: Model, items: readonly Item[]): number | readonly Name[] {
  const conflicts = items.filter((item) => !holds(model, item.name, item.expect));
  if (conflicts.length > 0) return conflicts.map((item) => item.name);
  const entries = new Map(model.entries);
  const revision = model.revision + 1;
  const events: string[] = [];
  for (const { name: at, host } of items) {
    const before = entries.get(at);
    if (host === before?.host) continue;
    events.push(`${revision} ${host === undefined ? "deleted" : before === undefined ? "added" : "modified"} ${at}`);
    if (host === undefined) entries.delete(at);
    else entries.set(at, { host, revision, generation: (before?.generation ?? 0) + 1 });
  }
  if (events.length === 0) return model.revision;
  Object.assign(model, { entries, revision, past: [...model.past, entries], events: [...model.events, ...events] });
  return revision;
}

const eventLine = ({ revision, kind, document }: DocumentEvent) => `${revision} ${kind} ${nameOf(document.key)}`;

function check(store: RuleStore, model: Model, watched: readonly string[]): void {
  const documents = store
    .documents()
    .map((document) => [
      document.name,
      { host: hostIn(document.json), revision: document.revision, generation: document.generation },
    ]);
  expect(documents).toEqual([...model.entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  expect([...store.ruleSet.value.rules.keys()]).toEqual(store.documents().map((document) => document.key));
  expect(store.revision()).toBe(model.revision);
  const events = store.eventsAfter({ revision: 0, index: 0 });
  expect(events === "gone" ? events : events.map(eventLine)).toEqual(model.events);
  expect(watched).toEqual(model.events);
}

const hostIn = (json: string): string =>
  (JSON.parse(json) as { readonly spec: { readonly hosts: readonly string[] } }).spec.hosts[0] ?? "";

test("the store does what a plain map does, over restarts too", async (context) => {
  const dir = temporaryFolder(context);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const file = join(dir, `${++run}.db`);
      const model: Model = { entries: new Map(), revision: 0, past: [new Map()], events: [] };
      const watched: string[] = [];
      const open = async (): Promise<TestStore> => {
        const opened = await openStore(context, { file });
        opened.store.subscribe((events) => watched.push(...events.map(eventLine)));
        return opened;
      };
      let current = await open();
      for (const taken of steps) {
        if (taken.kind === "restart") {
          await current.close();
          current = await open();
        } else {
          const puts = taken.items.flatMap((item) => ("host" in item ? [item] : []));
          const deletes = taken.items.filter((item) => !("host" in item));
          const wanted = applyTo(model, [...puts, ...deletes]);
          const outcome = await current.store.write(
            change(
              puts.map((item) => service(item.name, item.host, item.expect)),
              deletes.map((item) => ({ key: key(item.name), expect: item.expect })),
            ),
          );
          const conflicts = outcome.kind === "conflict" ? outcome.conflicts.map((c) => nameOf(c.key)) : [];
          const got = outcome.kind === "written" ? outcome.revision : conflicts;
          expect(got).toEqual(wanted);
        }
        check(current.store, model, watched);
      }
      await current.close();
    }),
    { numRuns: 6, seed: 1 },
  );
});
