import { expect, test } from "vitest";
import { deadlineMs } from "../../../src/xds/grpc/deadline.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["4m", 4],
  ["5000u", 5],
  ["1u", 1],
  ["1n", 1],
  ["0S", 0],
  // Longer than a timer of Node takes, which would fire at once.
  ["99999999H", 2 ** 31 - 1],
])("%s is %d ms", (header, ms) => {
  expect(deadlineMs(header)).toBe(ms);
});

test.each(["", "S", "1", "1s", "-1S", "1.5S", "1 S", "123456789S", "1SS"])("%j is no time", (header) => {
  expect(deadlineMs(header)).toBeUndefined();
});
