import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/kube-setup.ts"],
    // What is imported by default from a CommonJS package is what Node gives.
    deps: { interopDefault: false },
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
