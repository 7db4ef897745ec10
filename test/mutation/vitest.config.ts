import { defineConfig } from "vitest/config";

/** The tests of the pure machines, which are quick enough to be run for each mutant. */
const machines = [
  ...["delta", "sotw", "acks", "order", "removals", "any-order", "retries", "parts", "fit", "returning", "types"],
  ...["at-rest", "model", "free-client"],
];

// biome-ignore lint/style/noDefaultExport: vitest reads the default export.
export default defineConfig({
  test: {
    include: machines.map((name) => `test/xds/${name}.test.ts`),
    deps: { interopDefault: false },
    env: { FAIRWAY_MODEL_RUNS: "60" },
    testTimeout: 10_000,
    isolate: false,
    fileParallelism: false,
  },
});
