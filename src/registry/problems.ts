import type { RegistryProblem } from "./source.ts";

/** More problems than this are counted, not listed. */
const maxProblems = 100;

export function boundedProblems(problems: readonly RegistryProblem[]): readonly RegistryProblem[] {
  if (problems.length <= maxProblems) return problems;
  return [...problems.slice(0, maxProblems), { message: `There are ${problems.length - maxProblems} more problems.` }];
}
