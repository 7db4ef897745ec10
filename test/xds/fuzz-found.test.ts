import { expect, test } from "vitest";
import { wireSet } from "../support/wire-resources.ts";
import { DeltaDriver, SotwDriver } from "./driver.ts";

/* Smallest cases of what the fuzzed machines were found to get wrong. */

const rounds = 100;
const numbered = Array.from({ length: rounds }, (_, i) => `x${i}`);

test("names that a state-of-the-world client asks for no longer are forgotten while its answer is kept back", () => {
  const stream = new SotwDriver();
  for (const name of numbered) stream.ask("LDS", [name]);
  expect(stream.state.types.LDS.asked.size).toBeLessThan(rounds);
});

test("names that a delta client asks for no longer are forgotten while its answer is kept back", () => {
  const stream = new DeltaDriver();
  stream.set(wireSet({}));
  stream.event({ on: "room", room: false });
  for (const [i, name] of numbered.entries()) stream.ask("RDS", i === 0 ? [name] : [name, `-${numbered[i - 1]}`]);
  expect(stream.state.types.RDS.subscription?.names.size).toBe(1);
  expect(stream.state.types.RDS.asked.size).toBeLessThan(rounds);
});

test("names that were refused and are asked for no longer are forgotten", () => {
  const stream = new SotwDriver();
  stream.set(wireSet({}));
  stream.ask("EDS", ["x"]);
  for (const name of numbered) stream.nack("EDS", "bad", [name]);
  expect(stream.state.types.EDS.refused.size).toBeLessThan(rounds);
});
