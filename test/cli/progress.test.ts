import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { patiently } from "../../src/cli/progress.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function said(afterMs: number, errTerminal: boolean): Promise<string> {
  let text = "";
  const work = Promise.withResolvers<string>();
  const io = {
    err: (more: string) => {
      text += more;
    },
    errTerminal,
    env: { NO_COLOR: "1" },
  };
  const answer = patiently(io, "waiting for http://x", work.promise);
  vi.advanceTimersByTime(afterMs);
  work.resolve("done");
  expect(await answer).toBe("done");
  return text;
}

test("what takes less than a second says nothing", async () => {
  expect(await said(999, true)).toBe("");
});

test("what takes longer shows a line, which goes away", async () => {
  expect(await said(2_100, true)).toBe(
    "\r\u001b[Kwaiting for http://x … 1 s\r\u001b[Kwaiting for http://x … 2 s\r\u001b[K",
  );
});

test("without a terminal it is quiet", async () => {
  expect(await said(5_000, false)).toBe("");
});
