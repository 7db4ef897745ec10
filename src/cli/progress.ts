import type { CliIo } from "./command.ts";
import { styleFor } from "./style.ts";

/** Nothing is said of what takes less. */
const quietMs = 1_000;
const stepMs = 1_000;

/** Waits for `work`; a quiet line at the terminal says what for when it takes longer than a second, and goes away after it. */
export async function patiently<T>(
  { err, errTerminal, env }: Pick<CliIo, "err" | "errTerminal" | "env">,
  what: string,
  work: Promise<T>,
): Promise<T> {
  if (errTerminal !== true) return work;
  const style = styleFor({ terminal: { columns: 80 }, env });
  let seconds = 0;
  let shown = false;
  const show = () => {
    seconds += stepMs / 1_000;
    err(`\r\u001b[K${style("quiet", `${what} … ${seconds} s`)}`);
    shown = true;
  };
  const steps = setInterval(show, Math.max(quietMs, stepMs));
  try {
    return await work;
  } finally {
    clearInterval(steps);
    if (shown) err("\r\u001b[K");
  }
}
