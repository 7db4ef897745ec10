import type { Cleanup } from "./envoy.ts";

/** Parts of a long test that are not to wait for its end: what is given to `cleanup` runs after the work, the last one first. */
export async function withCleanup(work: (cleanup: Cleanup) => Promise<void>): Promise<void> {
  const tasks: (() => Promise<void>)[] = [];
  try {
    await work((task) => tasks.unshift(task));
  } finally {
    for (const task of tasks) await task();
  }
}
