import type { TestContext } from "vitest";

/**
 * A part that a test needs from outside: a binary, an engine, a server. When it cannot be had, a developer sees the test
 * skipped, with the reason; CI (CI=true) sees it fail.
 */
export async function realPart<T>(context: Pick<TestContext, "skip">, name: string, get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (cause) {
    const reason = `${name} cannot be had: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (process.env["CI"] === "true") throw new Error(reason, { cause });
    // The default reporter counts skipped tests only; this names the test and says why.
    console.warn(`skipped: ${reason}`);
    return context.skip(reason);
  }
}
