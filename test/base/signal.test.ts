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
    const gathering = gather(() => runs.push(clock.now() - start), { clock, minPauseMs: 10, maxPauseMs: 100 });
    return { clock, runs, gathering };
  };

  test("the first trigger after a pause runs at once", () => {
    const { clock, runs, gathering } = setUp();
    gathering.trigger();
    expect(runs).toEqual([0]);
    clock.advance(10);
    gathering.trigger();
    expect(runs).toEqual([0, 10]);
  });

  test("those in the pause run once, at its end", () => {
    const { clock, runs, gathering } = setUp();
    for (let i = 0; i < 4; i++) {
      gathering.trigger();
      clock.advance(2);
    }
    clock.advance(1000);
    expect(runs).toEqual([0, 10]);
    expect(clock.pending()).toBe(0);
  });

  test("under pressure the pause grows, and nobody waits longer than the bound; after it, it is short again", () => {
    const { clock, runs, gathering } = setUp();
    for (let i = 0; i < 500; i++) {
      gathering.trigger();
      clock.advance(2);
    }
    expect(runs.slice(0, 7)).toEqual([0, 10, 30, 70, 150, 250, 350]);
    clock.advance(1000);
    const at = clock.now();
    runs.length = 0;
    gathering.trigger();
    gathering.trigger();
    clock.advance(10);
    expect(runs[1]).toBe((runs[0] ?? 0) + 10);
    expect(clock.now() - at).toBe(10);
  });

  test("a long run is followed by a pause as long", () => {
    const clock = createFakeClock();
    const runs: number[] = [];
    const task = () => {
      runs.push(clock.monotonic());
      clock.standStill(150);
    };
    const gathering = gather(task, { clock, minPauseMs: 10, maxPauseMs: 100 });
    gathering.trigger();
    clock.advance(10);
    gathering.trigger();
    expect(runs).toEqual([0]);
    clock.advance(139);
    expect(runs).toEqual([0]);
    clock.advance(1);
    expect(runs).toEqual([0, 300]);
  });

  test("a run that triggers another one does not run inside itself", () => {
    const clock = createFakeClock();
    let [runs, depth, deepest] = [0, 0, 0];
    const gathering = gather(
      () => {
        deepest = Math.max(deepest, ++depth);
        if (++runs < 5) gathering.trigger();
        depth--;
      },
      { clock, minPauseMs: 10, maxPauseMs: 100 },
    );
    gathering.trigger();
    clock.advance(1000);
    expect([runs, deepest, clock.pending()]).toEqual([5, 1, 0]);
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
