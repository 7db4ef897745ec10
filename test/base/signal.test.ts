import { describe, expect, test } from "vitest";
import { createSignal, gather } from "../../src/base/signal.ts";
import { createFakeClock } from "../support/fake-clock.ts";

describe("a signal", () => {
  test("tells of other values only, and no longer after unsubscribing", () => {
    const signal = createSignal(1);
    const heard: number[] = [];
    const unsubscribe = signal.subscribe((value) => heard.push(value));
    for (const value of [1, 2, 2, 3]) signal.set(value);
    unsubscribe();
    signal.set(4);
    expect(heard).toEqual([2, 3]);
    expect(signal.value).toBe(4);
  });

  test("a listener may leave while it is told", () => {
    const signal = createSignal(0);
    const heard: string[] = [];
    const leave = signal.subscribe(() => {
      heard.push("a");
      leave();
    });
    signal.subscribe(() => heard.push("b"));
    signal.set(1);
    signal.set(2);
    expect(heard).toEqual(["a", "b", "b"]);
  });
});

describe("gathering", () => {
  const setUp = () => {
    const clock = createFakeClock();
    const runs: number[] = [];
    const start = clock.now();
    const gathering = gather(() => runs.push(clock.now() - start), { clock, quietMs: 100, maxWaitMs: 500 });
    return { clock, runs, gathering };
  };

  test("the first trigger after a quiet time runs at once", () => {
    const { clock, runs, gathering } = setUp();
    gathering.trigger();
    expect(runs).toEqual([0]);
    clock.advance(100);
    gathering.trigger();
    expect(runs).toEqual([0, 100]);
  });

  test("those right after it wait for quiet and run once", () => {
    const { clock, runs, gathering } = setUp();
    gathering.trigger();
    for (let i = 0; i < 3; i++) {
      clock.advance(50);
      gathering.trigger();
    }
    clock.advance(1000);
    expect(runs).toEqual([0, 250]);
    expect(clock.pending()).toBe(0);
  });

  test("a storm does not starve: nobody waits longer than the bound", () => {
    const { clock, runs, gathering } = setUp();
    for (let i = 0; i < 100; i++) {
      gathering.trigger();
      clock.advance(20);
    }
    const gaps = runs.slice(1).map((at, index) => at - (runs[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(520);
    expect(runs.length).toBeLessThan(8);
  });

  test("the quiet time starts when a run has ended, so that long runs do not follow each other at once", () => {
    const clock = createFakeClock();
    const runs: number[] = [];
    const task = () => {
      runs.push(clock.monotonic());
      clock.standStill(150);
    };
    const gathering = gather(task, { clock, quietMs: 100, maxWaitMs: 500 });
    gathering.trigger();
    clock.advance(10);
    gathering.trigger();
    expect(runs).toEqual([0]);
    clock.advance(100);
    expect(runs).toEqual([0, 260]);
  });

  test("closing forgets what waits", () => {
    const { clock, runs, gathering } = setUp();
    gathering.trigger();
    gathering.trigger();
    gathering.close();
    clock.advance(1000);
    expect(runs).toEqual([0]);
  });
});
