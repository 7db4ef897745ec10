import { expect, test } from "vitest";
import { shareRuns } from "../../src/security/share-runs.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("callers share a run that begins after their call; runs keep their distance", async () => {
  const clock = createFakeClock(0);
  const begun: number[] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const run = shareRuns(
    () => {
      begun.push(clock.now());
      const end = Promise.withResolvers<void>();
      ends.push(end);
      return end.promise;
    },
    { clock, gapMs: 100 },
  );
  const done: string[] = [];
  const ask = (name: string) => void run().then(() => done.push(name));

  ask("a");
  ask("b");
  await turn();
  ask("late");
  await turn();
  expect(begun).toEqual([0]);
  ends[0]?.resolve();
  await turn();
  expect(done).toEqual(["a", "b"]);
  clock.advance(99);
  await turn();
  expect(begun).toEqual([0]);
  clock.advance(1);
  await turn();
  expect(begun).toEqual([0, 100]);
  ends[1]?.resolve();
  await turn();
  expect(done).toEqual(["a", "b", "late"]);
  clock.advance(500);
  ask("c");
  await turn();
  expect(begun).toEqual([0, 100, 600]);
});

test("a failure is heard by those who shared the run, and by nobody after them", async () => {
  const clock = createFakeClock(0);
  let broken = true;
  const run = shareRuns(
    async () => {
      if (broken) throw new Error("broken");
    },
    { clock, gapMs: 100 },
  );
  await expect(Promise.all([run(), run()])).rejects.toThrow("broken");
  broken = false;
  const next = run();
  await turn();
  clock.advance(100);
  await expect(next).resolves.toBeUndefined();
});
