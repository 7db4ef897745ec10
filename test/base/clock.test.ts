import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const month = 30 * 24 * 3_600_000;

test.each([1, 1_000, 2 ** 31 - 1, 2 ** 31, month, 3 * month])("a timer of %d ms waits for as long", (ms) => {
  const task = vi.fn();
  systemClock.after(ms, task);
  vi.advanceTimersByTime(ms - 1);
  expect(task).toHaveBeenCalledTimes(0);
  vi.advanceTimersByTime(1);
  vi.advanceTimersByTime(3 * month);
  expect(task).toHaveBeenCalledTimes(1);
});

test("a long timer can be cancelled at any time", () => {
  const task = vi.fn();
  const cancel = systemClock.after(2 * month, task);
  vi.advanceTimersByTime(month);
  cancel();
  vi.advanceTimersByTime(3 * month);
  expect(task).not.toHaveBeenCalled();
});

test("the monotonic time does not follow the time of day", () => {
  const before = systemClock.monotonic();
  vi.setSystemTime(0);
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
});
