import { expect, test } from "vitest";
import { parseDurationMs } from "../../src/base/duration.ts";

test.each([
  ["0s", 0],
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["0.25s", 250],
  ["100ms", 100],
  ["1h30m", 5_400_000],
  ["1m0.5s", 60_500],
  ["", undefined],
  ["10", undefined],
  ["s", undefined],
  ["-1s", undefined],
  ["1.s", undefined],
  ["1 s", undefined],
  ["1S", undefined],
  ["1d", undefined],
  ["1e3s", undefined],
  ["9".repeat(40), undefined],
  ["0.1ms", undefined],
])("%j is %j milliseconds", (text, expected) => {
  expect(parseDurationMs(text)).toBe(expected);
});
