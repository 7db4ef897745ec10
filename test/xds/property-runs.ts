import type { Parameters } from "fast-check";

/**
 * How often a property is tried. A mutation run, which tries it again for each mutant, takes FAIRWAY_MODEL_RUNS of them, always
 * the same ones, and no time to make a counterexample smaller.
 */
export function propertyRuns(usual: number): Pick<Parameters, "numRuns" | "seed" | "endOnFailure"> {
  const few = process.env["FAIRWAY_MODEL_RUNS"];
  return few === undefined ? { numRuns: usual } : { numRuns: Number(few), seed: 1, endOnFailure: true };
}
