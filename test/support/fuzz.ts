/** How much is fuzzed, in percent of the long form, and from which seed. Both can be given: a run is repeated by its seed. */
const percent = Number(process.env["FAIRWAY_FUZZ_PERCENT"] ?? 1);
export const fuzzSeed = Number(process.env["FAIRWAY_FUZZ_SEED"] ?? 1);

/** `ofAll`: in the long form. */
export const fuzzCount = (ofAll: number): number => Math.ceil((ofAll * percent) / 100);

/** How a run is repeated; printed, as a passing test's title is not. */
export function announceSeed(what: string, count: number): void {
  console.info(`${what}: ${count}, FAIRWAY_FUZZ_SEED=${fuzzSeed} FAIRWAY_FUZZ_PERCENT=${percent}`);
}

/**
 * The steps that are still needed for `fails`: leaves out as many as it can, longer stretches first. A step must mean something
 * whatever came before it.
 */
export function shrunk<T>(steps: readonly T[], fails: (steps: readonly T[]) => boolean): readonly T[] {
  let kept = steps;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const without = kept.toSpliced(at, size);
      if (fails(without)) kept = without;
      else at += size;
    }
  }
  return kept;
}
