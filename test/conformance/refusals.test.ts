import { expect, test } from "vitest";
import { createRefusals, type Refusals } from "./refusals.ts";

const refuse = (refusals: Refusals, nonce: string, ...resources: readonly string[]): void => {
  refusals.came(nonce, resources);
  refusals.answered(nonce, false);
};

test("a refused message of several may come in parts, each once, and never as a whole", () => {
  const refusals = createRefusals();
  refuse(refusals, "n1", "a", "b", "c", "d");
  expect(refusals.isPart(["a", "b", "c", "d"])).toBe(false);
  expect(refusals.isPart(["a", "e"])).toBe(false);
  expect(refusals.isPart([])).toBe(false);
  expect(refusals.isPart(["b", "a"])).toBe(true);
  refuse(refusals, "n2", "b", "a");
  expect(refusals.isPart(["a", "b"])).toBe(false);
  expect(refusals.isPart(["a"])).toBe(true);
});

test("a part is of one refused message, the smallest that had them", () => {
  const refusals = createRefusals();
  refuse(refusals, "n1", "a", "b", "c", "d");
  refuse(refusals, "n2", "a", "b");
  expect(refusals.isPart(["b", "c"])).toBe(false);
  expect(refusals.isPart(["c"])).toBe(true);
});

test("what was refused alone never comes again, and neither does what was accepted since", () => {
  const refusals = createRefusals();
  refuse(refusals, "n1", "a", "b", "c");
  refuse(refusals, "n2", "a");
  expect(refusals.isPart(["a"])).toBe(false);
  expect(refusals.isPart(["a", "b"])).toBe(false);
  refusals.came("n3", ["b"]);
  refusals.answered("n3", true);
  expect(refusals.isPart(["b", "c"])).toBe(false);
  expect(refusals.isPart(["c"])).toBe(true);
});

test("the same answer again changes nothing", () => {
  const refusals = createRefusals();
  refuse(refusals, "n1", "a", "b");
  refuse(refusals, "n2", "a");
  refusals.answered("n1", false);
  expect(refusals.isPart(["a"])).toBe(false);
});
