import { expect, test } from "vitest";
import { createPastStreams } from "../../src/xds/past-streams.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { wireSet } from "../support/wire-resources.ts";

const ads = { variant: "sotw" } as const;
const [first, second, third] = ["1", "2", "3"].map((version) => wireSet({ CDS: { a: version } }).resources);

function start(maxRememberedStreams = 10) {
  const clock = createFakeClock();
  return { clock, past: createPastStreams(clock, { rememberMs: 1_000, maxRememberedStreams }) };
}

test("the present stream goes before the past one, and the latest before the others", () => {
  const { past } = start();
  past.stand("n", ads, () => first)();
  expect(past.of("n", ads)).toBe(first);
  const endOlder = past.stand("n", ads, () => second);
  const endNewer = past.stand("n", ads, () => third);
  expect(past.of("n", ads)).toBe(third);
  endNewer();
  expect(past.of("n", ads)).toBe(second);
  endOlder();
  expect(past.of("n", ads)).toBe(second);
});

test("a stream that has nothing on offer yet hides nothing, and leaves nothing", () => {
  const { past } = start();
  past.stand("n", ads, () => first)();
  const end = past.stand("n", ads, () => undefined);
  expect(past.of("n", ads)).toBe(first);
  end();
  expect(past.of("n", ads)).toBe(first);
});

test("nodes, and methods, are told apart; delta clients say themselves what they hold", () => {
  const { past, clock } = start();
  past.stand("n", ads, () => first)();
  past.stand("n", { variant: "sotw", only: "CDS" }, () => second)();
  past.stand("d", { variant: "delta" }, () => third)();
  expect(past.of("n", ads)).toBe(first);
  expect(past.of("n", { variant: "sotw", only: "CDS" })).toBe(second);
  expect(past.of("n", { variant: "sotw", only: "LDS" })).toBeUndefined();
  expect(past.of("other", ads)).toBeUndefined();
  expect(past.of("d", { variant: "delta" })).toBeUndefined();
  past.close();
  expect(clock.pending()).toBe(0);
});

test("it is forgotten in time, and leaves no timer", () => {
  const { past, clock } = start();
  past.stand("a", ads, () => first)();
  clock.advance(600);
  past.stand("b", ads, () => second)();
  clock.advance(399);
  expect(past.of("a", ads)).toBe(first);
  clock.advance(1);
  expect(past.of("a", ads)).toBeUndefined();
  expect(past.of("b", ads)).toBe(second);
  clock.advance(600);
  expect(past.of("b", ads)).toBeUndefined();
  expect(clock.pending()).toBe(0);
});

test("beyond the limit the oldest goes first", () => {
  const { past } = start(2);
  past.stand("a", ads, () => first)();
  past.stand("b", ads, () => first)();
  past.stand("a", ads, () => second)();
  past.stand("c", ads, () => third)();
  expect(past.of("a", ads)).toBe(second);
  expect(past.of("b", ads)).toBeUndefined();
  expect(past.of("c", ads)).toBe(third);
});
