import { expect, test } from "vitest";
import { keepJournal } from "../../src/app/keep-journal.ts";
import { MeshError } from "../../src/base/errors.ts";
import { createSignal } from "../../src/base/signal.ts";
import type { RuleStore } from "../../src/config/store.ts";
import { silent } from "../api/fixture.ts";
import { rulesOf, virtualService } from "../config/support.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A store that takes what a directory has, or not. */
function setUp() {
  const clock = createFakeClock();
  const directory = createSignal(rulesOf(virtualService("a")));
  const tried: string[] = [];
  let isFull = true;
  const record: RuleStore["record"] = async (puts) => {
    tried.push(puts.map(({ name }) => name).join(" "));
    if (isFull) throw new MeshError("store/full", "there is no room");
  };
  const journal = keepJournal({ directory, store: { record }, clock, log: silent });
  const makeRoom = () => {
    isFull = false;
  };
  return { clock, directory, tried, journal, makeRoom };
}

test("what cannot be written is tried again, less and less often, and is told until it is written", async () => {
  const { clock, tried, journal, makeRoom } = setUp();
  await settled();
  expect(journal.trouble.value).toBe("The rules of the directories cannot be written down: there is no room.");
  clock.advance(1_000);
  await settled();
  expect(tried).toHaveLength(2);
  for (let minute = 0; minute < 20; minute++) {
    clock.advance(60_000);
    await settled();
  }
  const { length } = tried;
  expect(length).toBeGreaterThanOrEqual(20);
  clock.advance(29_000);
  await settled();
  expect(tried).toHaveLength(length);
  makeRoom();
  clock.advance(31_000);
  await settled();
  expect([tried.length, journal.trouble.value]).toEqual([length + 1, undefined]);
  clock.advance(3_600_000);
  await settled();
  expect([tried.length, clock.pending()]).toEqual([length + 1, 0]);
});

test("what is newer is written at once, and what is older not any more", async () => {
  const { clock, directory, tried, makeRoom } = setUp();
  await settled();
  makeRoom();
  directory.set(rulesOf(virtualService("b")));
  await settled();
  expect([tried, clock.pending()]).toEqual([["a", "b"], 0]);
  directory.set(rulesOf(virtualService("c")));
  directory.set(rulesOf(virtualService("d")));
  await settled();
  expect(tried).toEqual(["a", "b", "c", "d"]);
});

test("nothing is tried after its end", async () => {
  const { clock, directory, tried, journal } = setUp();
  journal.close();
  await settled();
  directory.set(rulesOf(virtualService("b")));
  clock.advance(3_600_000);
  await settled();
  expect([tried, clock.pending()]).toEqual([["a"], 0]);
});
