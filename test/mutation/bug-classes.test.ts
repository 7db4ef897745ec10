import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bugMutants, classCount, plannedClasses } from "./bug-classes.ts";

/* That the tests notice each of them is shown by `npm run full`; here, that each can still be put into the code. */

const source = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

test("each class has a mutant, or a reason why not", () => {
  const covered = new Set([...bugMutants.map((mutant) => mutant.class), ...Object.keys(plannedClasses).map(Number)]);
  expect([...covered].sort((a, b) => a - b)).toEqual(Array.from({ length: classCount }, (_, index) => index + 1));
});

describe.each(bugMutants)("$class $what", ({ file, find, replace, killedBy }) => {
  test("its place stands once in the code, and its tests are there", () => {
    expect(source(file).split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
    for (const one of killedBy) expect(source(one)).toContain("test(");
  });
});
