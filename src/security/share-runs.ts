import type { Clock } from "../base/clock.ts";

/**
 * Shares the runs of a task among many callers: each one gets a run that begins after its call. Runs follow one another, and
 * begin `gapMs` apart or more, however many ask.
 */
export function shareRuns(
  task: () => Promise<void>,
  { clock, gapMs }: { readonly clock: Clock; readonly gapMs: number },
): () => Promise<void> {
  let begunAtMs = Number.NEGATIVE_INFINITY;
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const runNext = async (): Promise<void> => {
    // Those who asked for the last one hear of its failure.
    await last.catch(() => {});
    const waitMs = Math.min(gapMs, begunAtMs + gapMs - clock.now());
    if (waitMs > 0) await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    next = undefined;
    begunAtMs = clock.now();
    last = task();
    return last;
  };

  return () => {
    next ??= runNext();
    return next;
  };
}
