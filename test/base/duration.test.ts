import { expect, test } from "vitest";
import { parseDurationMs } from "../../src/base/duration.ts";

test.each([
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["250ms", 250],
  ["1h30m", 5_400_000],
  ["0s", 0],
  ["0.0005s", undefined],
  ["10", undefined],
  ["-1s", undefined],
  ["1d", undefined],
  ["s", undefined],
  ["", undefined],
])("%j", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});
