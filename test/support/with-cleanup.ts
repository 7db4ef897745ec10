import type { Cleanup } from "./envoy.ts";

/** Tasks for later: what is given to `cleanup` is done by `clean`, the last one first. */
export interface Cleaner {
  readonly cleanup: Cleanup;
  /** Goes on when a task fails, and rejects with the first failure at the end. */
  readonly clean: () => Promise<void>;
}

export function createCleaner(): Cleaner {
  const tasks: (() => Promise<void>)[] = [];
  return {
    cleanup: (task) => tasks.push(task),
    clean: async () => {
      const failures: unknown[] = [];
      for (const task of tasks.toReversed()) await task().catch((failure: unknown) => failures.push(failure));
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Parts of a long test that are not to wait for its end: what is given to `cleanup` runs after the work, the last one first. */
export async function withCleanup(work: (cleanup: Cleanup) => Promise<void>): Promise<void> {
  const { cleanup, clean } = createCleaner();
  try {
    await work(cleanup);
  } finally {
    await clean();
  }
}
