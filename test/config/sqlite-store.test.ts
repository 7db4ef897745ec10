import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { skipRevisions } from "../../src/config/rule-state.ts";
import type { DocumentEvent, Expectation, RuleStore } from "../../src/config/store.ts";
import {
  any,
  change,
  invalid,
  key,
  keyed,
  nameOf,
  openStore,
  put,
  service,
  temporaryFolder,
  told,
} from "./store-support.ts";
import { virtualService } from "./support.ts";

const eventsOf = (events: readonly DocumentEvent[] | "gone") =>
  events === "gone"
    ? events
    : events.map(({ kind, revision, index, document }) => `${revision}.${index} ${kind} ${nameOf(document.key)}`);

/** All that others may see of a store, as plain data. */
const seen = (store: RuleStore) => ({
  revision: store.revision(),
  documents: store.documents(),
  rules: [...store.ruleSet.value.rules],
  verdicts: store.ruleSet.value.documents,
  events: store.eventsAfter({ revision: 0, index: 0 }),
});

test("an empty store", async (context) => {
  const { store } = await openStore(context);
  expect(seen(store)).toEqual({ revision: 0, documents: [], rules: [], verdicts: [], events: [] });
});

test("a document from its creation to its deletion", async (context) => {
  const { store, clock } = await openStore(context);
  const text = `# mine\n${virtualService("a")}`;
  expect(told(await store.write(change([put(text)])))).toBe("1: a created");
  const first = store.get(key("a"));
  expect(first).toMatchObject({
    ...{ key: key("a"), kind: "VirtualService", namespace: "default", name: "a", owner: "store", generation: 1 },
    ...{ revision: 1, created: { atMs: 1_000_000, by: "ann" }, updated: { atMs: 1_000_000, by: "ann" }, text },
  });
  expect(store.own(key("a"))).toBe(first);
  expect(first?.uid).toMatch(/^[0-9a-f-]{36}$/);

  clock.advance(5);
  expect(told(await store.write(change([put(text)])))).toBe("1: a unchanged");
  expect(told(await store.write(change([put(`# yours\n${virtualService("a")}`)], [], { by: "bob" })))).toBe(
    "2: a configured",
  );
  const commented = store.get(key("a"));
  expect(commented).toMatchObject({ uid: first?.uid, generation: 1, revision: 2, created: first?.created });
  expect(commented?.updated).toEqual({ atMs: 1_000_005, by: "bob" });

  expect(told(await store.write(change([service("a", "elsewhere")])))).toBe("3: a configured");
  expect(store.get(key("a"))).toMatchObject({ generation: 2, revision: 3 });

  const deleted = await store.write(change([], [{ key: key("a"), expect: any }]));
  expect(told(deleted)).toBe("4: a deleted");
  expect(deleted).toMatchObject({ results: [{ document: { revision: 3 } }] });
  expect(store.get(key("a"))).toBeUndefined();
  expect(told(await store.write(change([], [{ key: key("a"), expect: any }])))).toBe("4: a unchanged");

  expect(told(await store.write(change([service("a")])))).toBe("5: a created");
  expect(store.get(key("a"))?.uid).not.toBe(first?.uid);
  expect(eventsOf(store.eventsAfter({ revision: 0, index: 0 }))).toEqual([
    "1.1 added a",
    "2.1 modified a",
    "3.1 modified a",
    "4.1 deleted a",
    "5.1 added a",
  ]);
});

describe("what the writer believes to be there", () => {
  const revision = (number: number): Expectation => ({ kind: "revision", revision: number });
  const since = (number: number): Expectation => ({ kind: "unchanged-since", revision: number });

  // `there` was written by revision 1 and again by 2; `gone` came with 1 and went with 3; `never` never was.
  test("conflicts are told with what is there, and change nothing", async (context) => {
    const table: readonly (readonly [Expectation, string])[] = [
      [any, ""],
      [{ kind: "absent" }, "there"],
      [{ kind: "present" }, "gone never"],
      [revision(1), "there gone never"],
      [revision(2), "gone never"],
      [revision(3), "there gone never"],
      [since(0), "there"],
      [since(1), "there gone"],
      [since(2), "gone"],
      [since(3), ""],
      [since(4), "there gone never"],
    ];
    const { store } = await openStore(context);
    await store.write(change([service("there"), service("gone")]));
    await store.write(change([service("there", "second")]));
    await store.write(change([], [{ key: key("gone"), expect: any }]));
    const before = seen(store);
    const names = ["there", "gone", "never"];
    const never = { key: key("other"), expect: { kind: "present" } } as const;
    for (const [expect_, conflicting] of table) {
      const puts = change(
        names.map((name) => service(name, "next", expect_)),
        [never],
      );
      const deletes = change([], [...names.map((name) => ({ key: key(name), expect: expect_ })), never]);
      for (const tried of [puts, deletes]) {
        const outcome = await store.write(tried);
        const conflicts = outcome.kind === "conflict" ? outcome.conflicts : [];
        expect(conflicts.map((conflict) => nameOf(conflict.key)).join(" "), JSON.stringify(expect_)).toBe(
          `${conflicting} other`.trim(),
        );
        for (const { key: at, expected, found } of conflicts.slice(0, -1)) {
          expect([expected, found]).toEqual([expect_, store.get(at)]);
        }
      }
    }
    expect(seen(store)).toEqual(before);
  });
});

test("several documents: all or nothing, in the order of the change", async (context) => {
  const { store } = await openStore(context);
  await store.write(change([service("a"), service("b")]));
  const heard: unknown[] = [];
  store.subscribe((events) => heard.push(eventsOf(events)));
  const refused = change(
    [service("a", "x"), service("c"), service("b", "x", { kind: "absent" })],
    [{ key: key("d"), expect: { kind: "present" } }],
  );
  expect(told(await store.write(refused))).toBe("conflict: b, d");
  expect(store.revision()).toBe(1);
  const taken = change([service("c"), service("a"), service("b", "x")], [{ key: key("a"), expect: any }]);
  expect(told(await store.write({ ...taken, puts: taken.puts.filter(({ name }) => name !== "a") }))).toBe(
    "2: c created, b configured, a deleted",
  );
  expect(heard).toEqual([["2.1 added c", "2.2 modified b", "2.3 deleted a"]]);
  expect(store.documents().map(({ name }) => name)).toEqual(["b", "c"]);
});

test("an idempotency key: the second change answers as the first did", async (context) => {
  const file = join(temporaryFolder(context), "store.db");
  const { store, close } = await openStore(context, { file });
  const first = await store.write(change([service("a")], [], keyed("k")));
  await store.write(change([service("a", "later")]));
  expect(await store.write(change([service("b")], [], keyed("k")))).toEqual(first);
  expect(store.revision()).toBe(2);
  expect(told(await store.write(change([service("b")], [], { ...keyed("k"), by: "bob" })))).toBe("3: b created");
  const late = change([service("c", "c", { kind: "present" })], [], keyed("k2"));
  expect(told(await store.write(late))).toBe("conflict: c");
  await store.write(change([service("c", "first")]));
  expect(told(await store.write(late))).toBe("5: c configured");
  await close();
  const again = await openStore(context, { file });
  expect(await again.store.write(change([service("b")], [], keyed("k")))).toEqual(first);
  expect(again.store.revision()).toBe(5);
});

test("an idempotency key is one change's; its answer can be asked for, and has what was noted with it", async (context) => {
  const { store } = await openStore(context);
  const idempotency = { key: "k", digest: "one", note: "noted" };
  expect(await store.outcomeOf("ann", idempotency)).toBeUndefined();
  const first = await store.write(change([service("a")], [], { idempotency }));
  expect(first).toMatchObject({ kind: "written", note: "noted" });
  expect(await store.outcomeOf("ann", { key: "k", digest: "one" })).toEqual(first);
  expect(await store.outcomeOf("bob", { key: "k", digest: "two" })).toBeUndefined();
  expect(told(await store.write(change([service("b")], [], keyed("k", "two"))))).toBe("key-reused");
  expect(await store.outcomeOf("ann", { key: "k", digest: "two" })).toEqual({ kind: "key-reused" });
  expect(store.revision()).toBe(1);
});

test("a preview tells what a write would do, and changes nothing", async (context) => {
  const { store } = await openStore(context);
  await store.write(change([service("a"), service("gone")]));
  await store.write(change([], [{ key: key("gone"), expect: any }]));
  const before = seen(store);
  const wanted = change([service("a", "x"), service("b")], [{ key: key("gone"), expect: any }]);
  expect(told(await store.preview(wanted))).toBe("3: a configured, b created, gone unchanged");
  const late = change([service("gone", "x", { kind: "unchanged-since", revision: 1 })]);
  expect(told(await store.preview(late))).toBe("conflict: gone");
  expect(seen(store)).toEqual(before);
  expect(told(await store.write(wanted))).toBe("3: a configured, b created, gone unchanged");
});

test("after a restart everything is as it was", async (context) => {
  const file = join(temporaryFolder(context), "store.db");
  const { store, close } = await openStore(context, { file });
  await store.write(change([service("a"), put(virtualService("b"), any, { file: "b.yaml", line: 7 })]));
  await store.write(
    change([service("a", "next")], [{ key: key("b"), expect: any }], { reason: "why", requestId: "r" }),
  );
  await store.record([{ ...service("d"), source: { file: "d.yaml", line: 3 } }]);
  const before = seen(store);
  await close();
  const again = await openStore(context, { file });
  expect(seen(again.store)).toEqual({ ...before, verdicts: before.verdicts });
  expect(told(await again.store.write(change([service("a")])))).toBe("4: a configured");
});

test("fifty writers on one document: exactly one wins each round, and a watcher sees each revision once", async (context) => {
  const { store } = await openStore(context);
  await store.write(change([service("a", "start")]));
  const watched: number[] = [];
  store.subscribe((events) => watched.push(...events.map(({ revision }) => revision)));
  for (let round = 1; round <= 10; round++) {
    const expectation: Expectation = { kind: "revision", revision: round };
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, writer) =>
        store.write(change([service("a", `h${round}-${writer}`, expectation)], [], { by: `w${writer}` })),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === "written")).toHaveLength(1);
    const winner = outcomes.find((outcome) => outcome.kind === "written");
    expect(store.get(key("a"))).toEqual(winner?.kind === "written" && winner.results[0]?.document);
    for (const outcome of outcomes) {
      if (outcome.kind === "conflict") expect(outcome.conflicts[0]?.found).toEqual(store.get(key("a")));
    }
  }
  expect(watched).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("memory has followed and everybody was told when a write resolves; the signal speaks before the subscribers", async (context) => {
  const { store } = await openStore(context);
  const order: string[] = [];
  store.ruleSet.subscribe(({ rules }) => order.push(`rules ${rules.size}`));
  store.subscribe((events) => order.push(`events ${eventsOf(events)}`));
  await store.write(change([service("a")])).then(() => order.push(`written ${store.documents().length}`));
  expect(order).toEqual(["rules 1", "events 1.1 added a", "written 1"]);
});

test("a listener that throws makes no write fail", async (context) => {
  const { store, logged } = await openStore(context);
  store.subscribe(() => {
    throw new Error("listener");
  });
  expect(told(await store.write(change([service("a")])))).toBe("1: a created");
  expect(logged.join("")).toContain("listener");
});

describe("rules", () => {
  test("only what changed is another object", async (context) => {
    const { store } = await openStore(context);
    await store.write(change([service("a"), service("b")]));
    const before = store.ruleSet.value;
    await store.write(change([service("a", "x")]));
    const after = store.ruleSet.value;
    expect(after.revision).toBe(before.revision + 1);
    expect(after.rules.get(key("b"))).toBe(before.rules.get(key("b")));
    expect(after.documents[1]).toBe(before.documents[1]);
    expect(after.rules.get(key("a"))).not.toEqual(before.rules.get(key("a")));
    await store.write(change([put(`# comment\n${virtualService("a", { host: "x" })}`)]));
    expect(store.ruleSet.value.rules).toBe(after.rules);
    await store.write(change([service("a-1")]));
    expect([...store.ruleSet.value.rules.keys()].map(nameOf)).toEqual(["a", "a-1", "b"]);
  });

  test("the age of a rule is its own word, else that of its document", async (context) => {
    const { store, clock } = await openStore(context);
    const dated = virtualService("dated").replace(
      "name: dated",
      'name: dated, creationTimestamp: "2020-01-01T00:00:00Z"',
    );
    await store.write(change([put(dated), service("plain")]));
    clock.advance(60_000);
    await store.write(change([service("plain", "x")]));
    const { rules } = store.ruleSet.value;
    expect(rules.get(key("dated"))?.createdAt).toBe(Date.parse("2020-01-01T00:00:00Z"));
    expect(rules.get(key("plain"))?.createdAt).toBe(1_000_000);
  });

  test("places are those of the author's file", async (context) => {
    const { store } = await openStore(context);
    const text = `# a comment\n${virtualService("a")}`;
    await store.write(change([put(text, any, { file: "rules.yaml", line: 11 }), service("b")]));
    const { locate, documents } = store.ruleSet.value;
    expect(locate(key("a"), "/spec/hosts")).toMatchObject({ file: "rules.yaml", line: 16, column: 10 });
    expect(documents[0]).toMatchObject({ file: "rules.yaml", line: 12 });
    expect(locate(key("b"), "/spec/hosts")).toEqual({ pointer: "/spec/hosts", line: 5, column: 10 });
    expect(documents[1]).not.toHaveProperty("file");
  });

  test("the last valid version stays in force; what no longer decodes is refused, told, and kept", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const { store, close } = await openStore(context, { file });
    await store.write(change([service("a"), service("b")]));
    const valid = store.ruleSet.value.rules.get(key("a"));
    await store.write(change([invalid("a")]));
    expect(store.ruleSet.value.rules.get(key("a"))).toBe(valid);
    expect(store.ruleSet.value.documents[0]).toMatchObject({ name: "a", verdict: "refused" });
    await close();
    const again = await openStore(context, { file });
    expect([...again.store.ruleSet.value.rules.keys()].map(nameOf)).toEqual(["b"]);
    expect(again.store.ruleSet.value.documents[0]).toMatchObject({
      verdict: "refused",
      findings: [{ line: 4 }, { line: 4 }],
    });
    expect(again.store.documents()).toHaveLength(2);
    expect(again.logged.join("")).toContain("a stored rule is out of force");
  });
});

describe("the journal of the directories", () => {
  const of = (name: string, host = name, line = 1) => ({ ...service(name, host), source: { file: "r.yaml", line } });

  test("one revision where something differs, none where nothing does", async (context) => {
    const { store } = await openStore(context);
    await store.record([of("a"), of("b")]);
    await store.record([of("a"), of("b")]);
    expect(store.revision()).toBe(1);
    await store.record([of("a", "x"), of("c")]);
    expect(eventsOf(store.eventsAfter({ revision: 1, index: Number.POSITIVE_INFINITY }))).toEqual([
      "2.1 modified a",
      "2.2 added c",
      "2.3 deleted b",
    ]);
    expect(store.get(key("a"))).toMatchObject({ owner: "directory", created: { by: "directory" } });
    expect(store.own(key("a"))).toBeUndefined();
    expect(store.ruleSet.value.rules.size).toBe(0);
  });

  test("a document that only moved has its new place, and no new revision, whoever owns it", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const { store, close } = await openStore(context, { file });
    const placed = (name: string, line: number) => put(virtualService(name), any, { file: "r.yaml", line });
    await store.record([of("a", "a", 1)]);
    await store.write(change([placed("b", 1)]));
    await store.record([of("a", "a", 9)]);
    expect(told(await store.write(change([placed("b", 7)])))).toBe("2: b unchanged");
    expect(told(await store.write(change([put(virtualService("b"))])))).toBe("2: b unchanged");
    const check = (from: RuleStore) => {
      expect(from.revision()).toBe(2);
      expect(from.documents().map(({ source }) => source)).toEqual([
        { file: "r.yaml", line: 9 },
        { file: "r.yaml", line: 7 },
      ]);
      expect(from.ruleSet.value.locate(key("b"), "")).toMatchObject({ file: "r.yaml", line: 7 });
    };
    check(store);
    await close();
    check((await openStore(context, { file })).store);
  });

  test("where both owners have a document, the directory's is seen, and each keeps its own", async (context) => {
    const { store } = await openStore(context);
    await store.write(change([service("a", "mine"), service("b")]));
    await store.record([of("a", "theirs")]);
    expect(store.documents().map(({ owner, name }) => `${owner} ${name}`)).toEqual(["directory a", "store b"]);
    expect(store.own(key("a"))).toMatchObject({ owner: "store", revision: 1 });
    expect(told(await store.write(change([service("a", "again", { kind: "revision", revision: 1 })])))).toBe(
      "3: a configured",
    );
    await store.record([]);
    expect(store.get(key("a"))).toMatchObject({ owner: "store", revision: 3 });
  });
});

describe("events", () => {
  test("are of the document that is seen, whoever owns it; replayed as they were told", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const { store, close } = await openStore(context, { file });
    const live: DocumentEvent[] = [];
    store.subscribe((events) => live.push(...events));
    const remove = change([], [{ key: key("a"), expect: any }]);
    await store.write(change([service("a", "mine")]));
    await store.record([service("a", "theirs")]);
    await store.write(change([service("a", "unseen")]));
    await store.record([]);
    await store.record([service("a", "theirs again")]);
    await store.write(remove);
    await store.record([]);
    await store.write(change([service("a", "mine again")]));
    await store.write(remove);
    const tell = (events: readonly DocumentEvent[] | "gone") =>
      events === "gone"
        ? events
        : events.map(
            ({ revision, index, kind, document }) =>
              `${revision}.${index} ${kind} ${document.owner} of ${document.revision}`,
          );
    const told = [
      "1.1 added store of 1",
      "2.1 modified directory of 2",
      "4.1 modified store of 3",
      "5.1 modified directory of 5",
      "7.1 deleted directory of 5",
      "8.1 added store of 8",
      "9.1 deleted store of 8",
    ];
    expect(tell(live)).toEqual(told);
    expect(tell(store.eventsAfter({ revision: 0, index: 0 }))).toEqual(told);
    await close();
    const again = await openStore(context, { file });
    expect(again.store.eventsAfter({ revision: 0, index: 0 })).toEqual(live);
    expect(again.store.revision()).toBe(9);
  });

  test("after any position; gone when they are not remembered, or not yet written", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const options = { rememberedEvents: 3 };
    const { store, close } = await openStore(context, { file, options });
    await store.write(change([service("a"), service("b")]));
    const asked = (from: RuleStore, revision: number, index = Number.POSITIVE_INFINITY) =>
      eventsOf(from.eventsAfter({ revision, index }));
    expect(asked(store, 0, 0)).toEqual(["1.1 added a", "1.2 added b"]);
    await store.write(change([service("a", "x"), service("b", "x")]));
    const check = (from: RuleStore) => {
      expect(asked(from, 0, 0)).toBe("gone");
      expect(asked(from, 1, 0)).toBe("gone");
      expect(asked(from, 1, 1)).toEqual(["1.2 added b", "2.1 modified a", "2.2 modified b"]);
      expect(asked(from, 1)).toEqual(["2.1 modified a", "2.2 modified b"]);
      expect(asked(from, 2, 1)).toEqual(["2.2 modified b"]);
      expect(asked(from, 2)).toEqual([]);
      expect(asked(from, 3, 0)).toBe("gone");
    };
    check(store);
    await close();
    check((await openStore(context, { file, options })).store);
  });

  test("of before a restored backup are gone, however many there were", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    for (const rememberedEvents of [2, 100]) {
      const { store, close } = await openStore(context, { file });
      for (const host of ["x", "y", "z"]) await store.write(change([service("a", `${host}${rememberedEvents}`)]));
      const lost = store.revision() + 5;
      await close();
      const db = new DatabaseSync(file);
      skipRevisions(db, lost);
      db.close();
      const again = await openStore(context, { file, options: { rememberedEvents } });
      expect(again.store.eventsAfter({ revision: lost, index: 1 })).toBe("gone");
      expect(again.store.eventsAfter({ revision: lost - 7, index: 1 })).toBe("gone");
      expect(again.store.eventsAfter({ revision: lost + 1, index: Number.POSITIVE_INFINITY })).toEqual([]);
      await again.close();
    }
  });

  test("history is bounded, what is present stays", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const options = { historyRevisions: 5 };
    const { store, close } = await openStore(context, { file, options });
    await store.write(change([service("old")], [], keyed("k")));
    for (let round = 1; round <= 30; round++) await store.write(change([service("a", `h${round}`)]));
    await store.write(change([], [{ key: key("a"), expect: any }]));
    await close();
    const again = await openStore(context, { file, options });
    expect(again.store.documents().map(({ name, revision }) => [name, revision])).toEqual([["old", 1]]);
    expect(eventsOf(again.store.eventsAfter({ revision: 27, index: Number.POSITIVE_INFINITY }))).toHaveLength(5);
    expect(again.store.eventsAfter({ revision: 26, index: 1 })).toBe("gone");
    // Forgotten: nobody can tell what was there.
    const stale = service("a", "x", { kind: "unchanged-since", revision: 20 });
    expect(told(await again.store.write(change([stale])))).toBe("conflict: a");
    expect(told(await again.store.write(change([service("old")], [], keyed("k"))))).toBe("32: old unchanged");
  });

  test("a revision of which something is forgotten is nothing that a change can be made from", async (context) => {
    const { store } = await openStore(context, { options: { historyRevisions: 30 } });
    // Many events, so that they go more slowly than the versions that they are not of.
    const many = (host: string) => Array.from({ length: 100 }, (_, n) => service(`s${n}`, host));
    for (const host of ["one", "two", "three"]) await store.write(change(many(host)));
    await store.write(change([service("a", "first")]));
    await store.write(change([service("a", "second")]));
    await store.write(change([], [{ key: key("a"), expect: any }]));
    for (let round = 1; round <= 60; round++) {
      await store.write(change([service("b", `h${round}`)]));
      for (const since of [4, 5]) {
        const stale = service("a", "x", { kind: "unchanged-since", revision: since });
        expect(told(await store.preview(change([stale]))), `${store.revision()}`).toBe("conflict: a");
      }
    }
  });

  test("remembered events are bounded by the length of their texts too, live and after a restart", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const { text, json } = service("a", "h1");
    const options = { rememberedLength: 3 * (text.length + json.length) };
    const { store, close } = await openStore(context, { file, options });
    for (const host of ["h1", "h2", "h3", "h4", "h5"]) await store.write(change([service("a", host)]));
    const check = (from: RuleStore) => {
      expect(eventsOf(from.eventsAfter({ revision: 2, index: 1 }))).toHaveLength(3);
      expect(from.eventsAfter({ revision: 2, index: 0 })).toBe("gone");
    };
    check(store);
    await close();
    check((await openStore(context, { file, options })).store);
  });

  test("replaced versions are bounded by bytes, a few at a time; what is present stays", async (context) => {
    const file = join(temporaryFolder(context), "store.db");
    const { text, json } = service("a", "h01");
    const options = { historyBytes: 10 * (text.length + json.length) };
    const { store, close } = await openStore(context, { file, options });
    await store.write(change([service("old")]));
    for (let round = 1; round <= 30; round++)
      await store.write(change([service("a", `h${String(round).padStart(2, "0")}`)]));
    await close();
    const db = new DatabaseSync(file, { readOnly: true });
    const [versions] = db.prepare("SELECT count(*) AS n, sum(replaced_in IS NULL) AS present FROM rule_versions").all();
    db.close();
    expect(versions).toEqual({ n: 12, present: 2 });
    const again = await openStore(context, { file, options });
    expect(again.store.documents().map(({ name, revision }) => [name, revision])).toEqual([
      ["a", 31],
      ["old", 1],
    ]);
    expect(again.store.eventsAfter({ revision: 20, index: 1 })).toBe("gone");
    expect(eventsOf(again.store.eventsAfter({ revision: 21, index: Number.POSITIVE_INFINITY }))).toHaveLength(10);
  });
});
