import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Default 10000. */
  readonly withinMs?: number;
  /** What the failure says was waited for. */
  readonly what?: string;
}

/** Polls until `condition` gives something truthy, and returns it. What it throws counts as "not yet", and is the cause of the failure. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { withinMs = 10_000, what = "the condition" }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await condition();
      if (value) return value;
    } catch (thrown) {
      cause = thrown;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`, { cause });
    await delay(10);
  }
}
